//! Bytes and an open file over a Unix socket: unix(7), `SCM_RIGHTS`.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// Sends all `bytes`, and with the first of them the file.
///
/// # Errors
/// Those of sendmsg(2); never a signal.
pub fn send(mut socket: &UnixStream, bytes: &[u8], file: Option<&File>) -> io::Result<()> {
    let sent = send_some(socket, bytes, file)?;
    socket.write_all(bytes.get(sent..).unwrap_or_default())
}

/// Sends as many of `bytes` as the socket takes at once, and with the first of them the file;
/// returns how many, which is not 0.
///
/// # Errors
/// Those of sendmsg(2), such as `WouldBlock`; never a signal.
pub fn send_some(socket: impl AsFd, bytes: &[u8], file: Option<&File>) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = file.map(|file| [file.as_fd()]);
    if let Some(descriptors) = &descriptors {
        control.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    loop {
        let slices = [IoSlice::new(bytes)];
        match sendmsg(&socket, &slices, &mut control, SendFlags::NOSIGNAL) {
            Err(rustix::io::Errno::INTR) => {}
            outcome => return Ok(outcome?),
        }
    }
}

/// Receives at least one byte, and the file that came with it; 0 bytes mean that the other side
/// is gone. Further files in the same message are closed.
///
/// # Errors
/// Those of recvmsg(2).
pub fn receive(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<(usize, Option<File>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let message = loop {
        let mut slices = [IoSliceMut::new(buffer)];
        match recvmsg(&socket, &mut slices, &mut control, FLAGS) {
            Err(rustix::io::Errno::INTR) => {}
            outcome => break outcome?,
        }
    };
    let files = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(files) => Some(files),
        _ => None,
    });
    let file = files.flatten().next().map(File::from);
    Ok((message.bytes, file))
}

#[cfg(not(any(target_vendor = "apple", target_os = "solaris", target_os = "illumos")))]
const FLAGS: RecvFlags = RecvFlags::CMSG_CLOEXEC;
#[cfg(any(target_vendor = "apple", target_os = "solaris", target_os = "illumos"))]
const FLAGS: RecvFlags = RecvFlags::empty();
