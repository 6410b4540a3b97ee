//! What members post during a ceremony.

use std::collections::BTreeSet;

use super::plan::nodes;
use crate::canonical::{CanonicalError, Reader, Writer};
use crate::id::{Digest, EntryId, NodeId};
use crate::pseudonym::dealing::Dealing;

/// One message of a ceremony, in the équipe's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A dealer deals.
    Deal(Dealing),
    /// A holder reports on what was dealt to it.
    Report {
        /// The dealers whose values did not open or not fit; mostly none.
        accused: BTreeSet<NodeId>,
        /// Whether it knew no sharing of the key before: it cannot say which is in force.
        newcomer: bool,
    },
    /// An accused dealer shows the value that it dealt to a holder.
    Answer {
        /// Who complained.
        holder: NodeId,
        /// The value: 32 bytes, little-endian. Public from here on.
        value: [u8; 32],
    },
    /// A holder has its share and saw the transcript of this digest.
    Agree(Digest),
}

impl Act {
    /// Canonical bytes of type `key-act`: run, kind (`deal`, `report`, `answer`, `agree`),
    /// body: a dealing's bytes; a list of node ids, and 1 for a newcomer, else 0; holder and
    /// value; a digest.
    pub fn encode(&self, run: EntryId) -> Vec<u8> {
        let writer = Writer::new("key-act").bytes(run.as_bytes());
        match self {
            Self::Deal(dealing) => writer.text("deal").bytes(&dealing.encode()),
            Self::Report { accused, newcomer } => {
                let writer = writer.text("report").list(accused.iter().map(NodeId::as_str));
                writer.integer(u64::from(*newcomer))
            }
            Self::Answer { holder, value } => {
                writer.text("answer").text(holder.as_str()).bytes(value)
            }
            Self::Agree(digest) => writer.text("agree").bytes(digest.as_bytes()),
        }
        .finish()
    }

    /// Reads what [`Act::encode`] wrote, with the run that it belongs to.
    ///
    /// # Errors
    /// [`CanonicalError`]: the sender's fault.
    pub fn decode(bytes: &[u8]) -> Result<(EntryId, Self), CanonicalError> {
        let mut reader = Reader::new("key-act", bytes)?;
        let run = EntryId(reader.array("run")?);
        let act = match reader.text("kind")? {
            "deal" => Self::Deal(Dealing::decode(reader.bytes("dealing")?)?),
            "report" => {
                let accused = nodes(&reader.list("accused")?, "accused")?;
                let newcomer = match reader.integer("newcomer")? {
                    0 => false,
                    1 => true,
                    _ => return Err(CanonicalError::Field("newcomer")),
                };
                Self::Report { accused, newcomer }
            }
            "answer" => {
                let holder = reader.text("holder")?.parse();
                let holder = holder.map_err(|_| CanonicalError::Field("holder"))?;
                Self::Answer { holder, value: reader.array("value")? }
            }
            "agree" => Self::Agree(Digest(reader.array("digest")?)),
            _ => return Err(CanonicalError::Field("kind")),
        };
        reader.end()?;
        Ok((run, act))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pseudonym::share::tests::nodes as named;

    const RUN: EntryId = EntryId([3; 16]);

    fn check(act: &Act) {
        let bytes = act.encode(RUN);
        assert_eq!(Act::decode(&bytes), Ok((RUN, act.clone())));
        for cut in 0..bytes.len() {
            assert!(Act::decode(&bytes[..cut]).is_err(), "{cut}");
        }
        assert!(Act::decode(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn acts_are_read_back() {
        check(&Act::Deal(Dealing {
            commitments: vec![[1; 32], [2; 32]],
            proof: [3; 64],
            sealed: named(3).into_iter().map(|node| (node, vec![4; 40])).collect(),
        }));
        check(&Act::Report { accused: BTreeSet::new(), newcomer: true });
        check(&Act::Report { accused: named(2).into_iter().collect(), newcomer: false });
        check(&Act::Answer { holder: named(1).remove(0), value: [5; 32] });
        check(&Act::Agree(Digest([6; 32])));
    }

    #[test]
    fn names_stand_once_and_in_order() {
        let bytes = |names: &[&str]| {
            let writer = Writer::new("key-act").bytes(RUN.as_bytes()).text("report");
            writer.list(names)
        };
        let read = |names: &[&str]| Act::decode(&bytes(names).integer(0).finish());
        assert!(read(&["a", "b"]).is_ok());
        assert!(read(&["a", "a"]).is_err());
        assert!(read(&["b", "a"]).is_err());
        assert!(read(&["B"]).is_err());
        assert!(Act::decode(&bytes(&["a"]).integer(2).finish()).is_err());
    }
}
