//! A network of its own for a federation: a namespace for each node, and one with a bridge
//! that joins them. Nothing of it is seen outside, and it disappears when it is dropped.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, bail};

/// Begin of the name of every namespace; the id of the process that made it follows.
const PREFIX: &str = "raccordo-test-";

/// The wires between nodes.
pub struct Network {
    name: String,
    nodes: Vec<String>,
}

impl Network {
    /// A bridge without nodes.
    ///
    /// # Errors
    /// Without iproute2 or without root.
    pub fn new() -> anyhow::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        remove_left_over()?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let network =
            Self { name: format!("{PREFIX}{}-{number}", std::process::id()), nodes: Vec::new() };
        ip(&["netns", "add", &network.name]).context(
            "this test makes network namespaces, which needs root and iproute2 \
             (Debian: apt-get install -y iproute2)",
        )?;
        network.in_bridge(&["link", "add", "bridge", "type", "bridge"])?;
        network.in_bridge(&["link", "set", "bridge", "up"])?;
        Ok(network)
    }

    /// Joins one more node; its address.
    ///
    /// # Errors
    /// Something that the kernel does not have.
    pub fn join(&mut self, node: &str) -> anyhow::Result<Ipv4Addr> {
        let namespace = self.namespace(node);
        ip(&["netns", "add", &namespace])?;
        self.nodes.push(node.to_owned());
        let number = u8::try_from(self.nodes.len())?;
        let (address, wire) = (Ipv4Addr::new(10, 0, 0, number), wire(node));
        let pair = ["link", "add", &wire, "type", "veth", "peer", "name", "eth0"];
        self.in_bridge(&[&pair[..], &["netns", &namespace]].concat())?;
        self.in_bridge(&["link", "set", &wire, "master", "bridge", "up"])?;
        let within = |args: &[&str]| ip(&[&["-n", &namespace], args].concat());
        within(&["address", "add", &format!("{address}/24"), "dev", "eth0"])?;
        within(&["link", "set", "eth0", "up"])?;
        within(&["link", "set", "lo", "up"])?;
        Ok(address)
    }

    /// The namespace in which a node's programs run.
    pub fn namespace(&self, node: &str) -> String {
        format!("{}-{node}", self.name)
    }

    /// Cuts a node off from the others.
    ///
    /// # Errors
    /// It has not joined.
    pub fn cut(&self, node: &str) -> anyhow::Result<()> {
        self.in_bridge(&["link", "set", &wire(node), "down"])
    }

    /// Joins it again.
    ///
    /// # Errors
    /// It has not joined.
    pub fn mend(&self, node: &str) -> anyhow::Result<()> {
        self.in_bridge(&["link", "set", &wire(node), "up"])
    }

    /// Makes a node's wire a bad one, in the direction to the node: late and lossy where the
    /// kernel has `netem`, else narrow, so that it drops what does not fit.
    ///
    /// # Errors
    /// The kernel has neither.
    pub fn spoil(&self, node: &str) -> anyhow::Result<&'static str> {
        let wire = wire(node);
        let spoil = |how: &[&str]| {
            let add = ["-n", &self.name, "qdisc", "add", "dev", &wire, "root"];
            run("tc", &[&add[..], how].concat())
        };
        if spoil(&["netem", "delay", "20ms", "10ms", "loss", "5%"]).is_ok() {
            return Ok("late and lossy");
        }
        spoil(&["tbf", "rate", "2mbit", "burst", "3000", "limit", "6000"])?;
        Ok("narrow")
    }

    fn in_bridge(&self, args: &[&str]) -> anyhow::Result<()> {
        ip(&[&["-n", &self.name], args].concat())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for node in &self.nodes {
            // What cannot be removed now is, when the next network is made.
            let _ = ip(&["netns", "delete", &self.namespace(node)]);
        }
        let _ = ip(&["netns", "delete", &self.name]);
    }
}

/// The bridge's end of a node's wire; names of links have at most 15 bytes.
fn wire(node: &str) -> String {
    format!("to-{}", node.chars().take(12).collect::<String>())
}

/// Removes the namespaces of tests that were killed.
fn remove_left_over() -> anyhow::Result<()> {
    let Ok(names) = std::fs::read_dir("/run/netns") else { return Ok(()) };
    for name in names {
        let name = name?.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if process.is_some_and(|id| !Path::new("/proc").join(id).exists()) {
            // Another test may have been faster.
            let _ = ip(&["netns", "delete", &name]);
        }
    }
    Ok(())
}

fn ip(args: &[&str]) -> anyhow::Result<()> {
    run("ip", args)
}

fn run(program: &str, args: &[&str]) -> anyhow::Result<()> {
    let done = Command::new(program).args(args).stdin(Stdio::null()).output();
    let done = done.with_context(|| format!("cannot run {program}"))?;
    if !done.status.success() {
        let told = String::from_utf8_lossy(&done.stderr);
        bail!("`{program} {}` failed ({}): {}", args.join(" "), done.status, told.trim());
    }
    Ok(())
}
