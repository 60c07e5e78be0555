//! Questions about the daemon itself, and commands to it.

use esets_client::{Command, Control, FromDaemon, Refusal, Report};

use super::{End, Session};
use crate::status;

impl Session {
    pub(super) async fn control(&mut self, control: Control) -> Result<(), End> {
        let id = control.id;
        let text = match control.command {
            Command::Reload | Command::Stop if !self.is_privileged() => {
                Err("only root and the daemon's own user may do this".to_owned())
            }
            Command::Reload => self.desk.service.reload().await,
            Command::Stop => {
                self.desk.stop.notify_one();
                Ok("the daemon stops".to_owned())
            }
            Command::Metrics => Ok(status::metrics(&self.desk.service)),
            Command::Status => Ok(status::status(&self.desk.service)),
            Command::Version => Ok(status::version(&self.desk.service)),
            _ => Err("this daemon does not know the command".to_owned()),
        };
        self.say(&match text {
            Ok(text) => FromDaemon::Report(Report { id, text }),
            Err(why) => FromDaemon::Refusal(Refusal { id, why }),
        })
        .await
    }

    fn is_privileged(&self) -> bool {
        if self.is_guest {
            return false;
        }
        let own = nix::unistd::geteuid().as_raw();
        self.stream.peer_cred().is_ok_and(|peer| peer.uid() == 0 || peer.uid() == own)
    }
}
