//! Bundles what the desk's pages load: Bootstrap Italia and htmx, from their npm packages, as
//! `desk/package-lock.json` pins them. Without npm, or without the registry, the node is built
//! all the same, and its pages are plain.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// Files of the packages: where they lie, under which name they are served, and their type.
const FILES: &[(&str, &str, &str)] = &[
    (
        "bootstrap-italia/dist/css/bootstrap-italia.min.css",
        "css/bootstrap-italia.min.css",
        "text/css; charset=utf-8",
    ),
    ("bootstrap-italia/dist/svg/sprites.svg", "svg/sprites.svg", "image/svg+xml"),
    ("htmx.org/dist/htmx.min.js", "js/htmx.min.js", "text/javascript; charset=utf-8"),
    ("htmx.org/dist/ext/hx-sse.min.js", "js/hx-sse.min.js", "text/javascript; charset=utf-8"),
];
/// The typeface of the pages.
const FONTS: &str = "bootstrap-italia/dist/fonts/Titillium_Web";

fn main() -> io::Result<()> {
    for watched in ["build.rs", "desk/package.json", "desk/package-lock.json"] {
        println!("cargo:rerun-if-changed={watched}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let mut list = String::from("&[\n");
    match install(&out.join("npm")) {
        Ok(modules) => {
            for (path, name, kind) in FILES {
                add(&mut list, name, kind, &modules.join(path));
            }
            for font in fs::read_dir(modules.join(FONTS))? {
                let font = font?.path();
                if font.extension().is_some_and(|kind| kind == "woff2") {
                    let file = font.file_name().unwrap_or_default().to_string_lossy();
                    let name = format!("fonts/Titillium_Web/{file}");
                    add(&mut list, &name, "font/woff2", &font);
                }
            }
        }
        Err(cause) => println!("cargo:warning=the desk's pages will be plain: {cause}"),
    }
    list.push_str("]\n");
    fs::write(out.join("bundled.rs"), list)
}

/// Installs the packages, without running anything of theirs; where they are then.
fn install(directory: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(directory)?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(Path::new("desk").join(file), directory.join(file))?;
    }
    let done = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(directory)
        .output()
        .map_err(|cause| io::Error::other(format!("npm does not run: {cause}")))?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        let first = said.lines().next().unwrap_or("no reason given").to_owned();
        return Err(io::Error::other(format!("npm ci failed: {first}")));
    }
    let modules = directory.join("node_modules");
    match FILES.iter().find(|(path, ..)| !modules.join(path).exists()) {
        Some((path, ..)) => Err(io::Error::other(format!("the packages have no {path}"))),
        None => Ok(modules),
    }
}

fn add(list: &mut String, name: &str, kind: &str, path: &Path) {
    let _ = writeln!(list, "    ({name:?}, {kind:?}, include_bytes!({path:?})),");
}
