//! A server for e-mail (SMTP, RFC 5321) on this machine that takes everything and keeps it.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One message as it came.
#[derive(Clone, Debug)]
pub struct Email {
    /// Address of the receiver, as the command named it.
    pub to: String,
    /// Header and text.
    pub data: String,
}

/// A server that runs until it is dropped.
pub struct EmailServer {
    /// `host:port`.
    pub address: String,
    mails: Arc<Mutex<Vec<Email>>>,
    task: JoinHandle<()>,
}

impl EmailServer {
    /// Starts one, on a port that the system chooses.
    ///
    /// # Errors
    /// There is no port.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let mails: Arc<Mutex<Vec<Email>>> = Arc::default();
        let kept = mails.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, kept.clone()));
            }
        });
        Ok(Self { address, mails, task })
    }

    /// What came so far.
    pub fn mails(&self) -> Vec<Email> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for EmailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(mut stream: TcpStream, kept: Arc<Mutex<Vec<Email>>>) -> std::io::Result<()> {
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 here\r\n").await?;
    let mut to = String::new();
    while let Some(line) = lines.next_line().await? {
        let word = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match word.as_str() {
            "RCPT" => {
                let address = line.split(['<', '>']).nth(1).unwrap_or_default();
                address.clone_into(&mut to);
                b"250 ok\r\n"
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                let mut data = String::new();
                while let Some(line) = lines.next_line().await? {
                    if line == "." {
                        break;
                    }
                    data.push_str(&line);
                    data.push('\n');
                }
                let mail = Email { to: to.clone(), data };
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
                b"250 kept\r\n"
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await?;
                break;
            }
            _ => b"250 ok\r\n",
        };
        write.write_all(answer).await?;
    }
    Ok(())
}
