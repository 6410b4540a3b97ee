//! How the templates write what others wrote: as text, whatever stands in it. `askama.toml`
//! names it for every page.

use std::fmt;

use askama::filters::{Escaper, Html};
use raccordo_core::text::on_lines;

/// Marks of HTML are escaped; control characters, bidirectional controls and invisible
/// characters are shown as the replacement character, so that no name reads as another one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Page;

impl Escaper for Page {
    fn write_escaped_str<W: fmt::Write>(&self, page: W, text: &str) -> fmt::Result {
        Html.write_escaped_str(page, &on_lines(text))
    }
}

#[cfg(test)]
mod tests {
    use askama::Template;

    #[derive(Template)]
    #[template(source = "<b title=\"{{ name }}\">{{ name }}</b>", ext = "html")]
    struct Name<'n> {
        name: &'n str,
    }

    #[test]
    fn a_name_is_text() {
        let check = |name: &str, shown: &str| {
            let expected = format!("<b title=\"{shown}\">{shown}</b>");
            assert_eq!(Name { name }.render().unwrap(), expected);
        };
        check("Città & \"Lavoro\"", "Città &#38; &#34;Lavoro&#34;");
        check("<script>", "&#60;script&#62;");
        check("umbria\u{202e}\u{1b}[2J\u{200b}", "umbria\u{fffd}\u{fffd}[2J\u{fffd}");
    }
}
