"""Writes the mails of the labs to a folder: clean-*.eml, and eicar-*.eml with the EICAR test file
somewhere inside. Lines end in CRLF and the last one is complete, as SMTP wants them."""
import base64, binascii, gzip, io, os, quopri, sys, tarfile, zipfile

FOLDER = sys.argv[1]
# In halves, so that no other scanner eats this file.
EICAR = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*").encode()


def lines(data, width):
    """Base64 in lines of a given width, or of changing widths."""
    text, out = base64.b64encode(data), []
    widths = width if isinstance(width, list) else [width]
    while text:
        step = widths[len(out) % len(widths)]
        out.append(text[:step])
        text = text[step:]
    return b"\r\n".join(out)


def message(subject, kind, body, *fields):
    head = ["From: Sender <sender@lab.test>", "To: Rcpt <rcpt@lab.test>", "Subject: " + subject,
            "Date: Mon, 05 Jan 2026 10:00:00 +0000", "Message-ID: <%s@lab.test>" % subject.replace(" ", "."),
            "MIME-Version: 1.0", "Content-Type: " + kind, *fields, "", ""]
    return "\r\n".join(head).encode() + body + (b"" if body.endswith(b"\r\n") else b"\r\n")


def multipart(subject, *parts):
    line = b"=_" + binascii.hexlify(subject.encode())[:24]
    text = (b"Content-Type: text/plain; charset=us-ascii", b"see the attachment\r\n")
    body = b"".join(b"--" + line + b"\r\n" + head + b"\r\n\r\n" + content + b"\r\n" for head, content in (text, *parts))
    return message(subject, 'multipart/mixed; boundary="%s"' % line.decode(), body + b"--" + line + b"--\r\n")


def attachment(name, data, width=76):
    head = ('Content-Type: application/octet-stream; name="%s"\r\nContent-Disposition: attachment; filename="%s"\r\n'
            "Content-Transfer-Encoding: base64" % (name, name))
    return head.encode(), lines(data, width)


def zipped(name, data):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def tarred(name, data):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(file.getvalue(), mtime=0)


def uuencoded(name, data):
    body = b"".join(binascii.b2a_uu(data[at:at + 45]).replace(b"\n", b"\r\n") for at in range(0, len(data), 45))
    return b"begin 644 " + name.encode() + b"\r\n" + body + b"`\r\nend\r\n"


EIGHT_BIT = "Content-Transfer-Encoding: 8bit"
nested = multipart("inner", attachment("eicar.com", EICAR))
MAILS = {
    "clean-text": message("text", "text/plain", b"plain\r\n.\r\n..dots\r\nFrom the start of a line\r\n"),
    "clean-empty": message("empty", "text/plain", b""),
    "clean-8bit": message("8bit", "text/plain; charset=utf-8", "Привіт, світе\r\n".encode() * 3, EIGHT_BIT),
    "clean-folded": message("folded", "text/plain", b"x\r\n", "X-Folded: one\r\n two\r\n\tthree"),
    "clean-long": message("long", "text/plain", b"a" * 990 + b"\r\n" + b"b" * 998 + b"\r\n"),
    "clean-binary": multipart("binary", attachment("file.bin", bytes(range(256)) * 64)),
    "clean-zip": multipart("zip", attachment("c.zip", zipped("a.txt", b"clean " * 1000))),
    "clean-nested": multipart("nested", (b"Content-Type: message/rfc822", message("in", "text/plain", b"x\r\n"))),
    "clean-big": multipart("big", attachment("big.bin", b"0123456789abcdef" * (3 << 16))),
    "eicar-body": message("body", "text/plain", EICAR),
    "eicar-attachment": multipart("attachment", attachment("eicar.com", EICAR)),
    "eicar-zip": multipart("in zip", attachment("eicar.zip", zipped("eicar.com", EICAR))),
    "eicar-zip-in-zip": multipart("zip zip", attachment("x.zip", zipped("y.zip", zipped("eicar.com", EICAR)))),
    "eicar-tar-gz": multipart("tar gz", attachment("eicar.tar.gz", tarred("eicar.com", EICAR))),
    "eicar-nested": multipart("outer", (b"Content-Type: message/rfc822", nested)),
    "eicar-odd-base64": multipart("odd", attachment("eicar.com", EICAR, [1, 7, 3, 2, 61, 5])),
    "eicar-qp": message("qp", "text/plain", quopri.encodestring(EICAR, quotetabs=True).replace(b"\n", b"\r\n"),
                        "Content-Transfer-Encoding: quoted-printable"),
    "eicar-uu": message("uu", "text/plain", b"here it is\r\n\r\n" + uuencoded("eicar.com", EICAR) + b"bye\r\n"),
}
os.makedirs(FOLDER, exist_ok=True)
for name, content in MAILS.items():
    with open(os.path.join(FOLDER, name + ".eml"), "wb") as file:
        file.write(content)
