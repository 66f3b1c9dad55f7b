//! Content types by a file's name or its last extension.
//!
//! The project's own words come first ([`Types`]), then the few on which the table of the library is
//! behind the standards, then the library's. What nobody knows is bytes.

use std::collections::HashMap;
use std::path::Path;

use http::HeaderValue;

/// Types that the configuration adds to, or puts in place of, those that are known: by whole names and by
/// extensions with their dot, all in small letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Types(HashMap<String, HeaderValue>);

impl Types {
    /// Says the type of an extension, which is written without its dot; the last word counts.
    /// `None`: the type cannot stand in a header.
    #[must_use]
    pub fn say(&mut self, extension: &str, content_type: &str) -> Option<()> {
        self.say_of_name(&format!(".{extension}"), content_type)
    }

    /// Says the type of files with this name, which counts before that of their extension.
    /// `None`: the type cannot stand in a header.
    #[must_use]
    pub fn say_of_name(&mut self, name: &str, content_type: &str) -> Option<()> {
        let value = HeaderValue::from_str(content_type).ok()?;
        self.0.insert(name.to_ascii_lowercase(), value);
        Some(())
    }

    /// These and, over them, others.
    #[must_use]
    pub fn under(mut self, over: &Self) -> Self {
        let over = over.0.iter();
        self.0
            .extend(over.map(|(extension, value)| (extension.clone(), value.clone())));
        self
    }

    /// The type of a file with this name.
    pub(crate) fn of(&self, path: &Path) -> HeaderValue {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_ascii_lowercase();
        // A dot in front makes no extension.
        let dot = name.rfind('.').filter(|place| *place > 0);
        let dotted = dot.and_then(|place| name.get(place..)).unwrap_or_default();
        if let Some(own) = self.0.get(&name).or_else(|| self.0.get(dotted)) {
            return own.clone();
        }
        let extension = dotted.strip_prefix('.').unwrap_or_default();
        if let Some(newer) = newer(extension) {
            return HeaderValue::from_static(newer);
        }
        match mime_guess::from_ext(extension).first_raw() {
            None => HeaderValue::from_static("application/octet-stream"),
            Some(text) if text.starts_with("text/") => {
                HeaderValue::from_str(&format!("{text}; charset=utf-8"))
                    .unwrap_or_else(|_| HeaderValue::from_static(text))
            }
            Some(other) => HeaderValue::from_static(other),
        }
    }
}

/// What the standards say and the library does not, and what the web means by an extension that
/// others use too. Text is UTF-8, as WhiteNoise has it.
fn newer(extension: &str) -> Option<&'static str> {
    Some(match extension {
        // RFC 9239: of all names this one; also for modules.
        "js" | "mjs" | "cjs" => "text/javascript; charset=utf-8",
        // Not the video format: what builds leave behind is source text.
        "ts" | "mts" | "cts" | "tsx" | "jsx" => "text/plain; charset=utf-8",
        "map" => "application/json",
        // RFC 7303: it has no charset of its own to say; the document declares it.
        "xml" => "application/xml",
        "xsl" | "xslt" => "application/xslt+xml",
        "ico" => "image/vnd.microsoft.icon",
        "webmanifest" => "application/manifest+json",
        "geojson" => "application/geo+json",
        "yaml" | "yml" => "application/yaml",
        "md" => "text/markdown; charset=utf-8",
        "vtt" => "text/vtt; charset=utf-8",
        // RFC 8081.
        "woff" => "font/woff",
        "otf" => "font/otf",
        "jxl" => "image/jxl",
        "heic" => "image/heic",
        "glb" => "model/gltf-binary",
        "parquet" => "application/vnd.apache.parquet",
        "zst" => "application/zstd",
        "gz" => "application/gzip",
        // Never run by a browser, wherever it stands.
        "php" | "py" | "sh" | "rb" | "pl" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(types: &Types, name: &str, expected: &str) {
        assert_eq!(types.of(Path::new(name)), expected, "{name}");
    }

    #[test]
    fn type_follows_from_the_last_extension_whatever_its_case() {
        let none = Types::default();
        for (name, expected) in [
            ("a.css", "text/css; charset=utf-8"),
            ("a.HTML", "text/html; charset=utf-8"),
            ("dir.css/a.js", "text/javascript; charset=utf-8"),
            ("a.min.mjs", "text/javascript; charset=utf-8"),
            ("a.js.map", "application/json"),
            ("a.json", "application/json"),
            ("a.svg", "image/svg+xml"),
            ("a.png", "image/png"),
            ("a.webp", "image/webp"),
            ("a.avif", "image/avif"),
            ("favicon.ico", "image/vnd.microsoft.icon"),
            ("a.woff", "font/woff"),
            ("a.woff2", "font/woff2"),
            ("a.ttf", "font/ttf"),
            ("a.otf", "font/otf"),
            ("a.wasm", "application/wasm"),
            ("site.webmanifest", "application/manifest+json"),
            ("a.txt", "text/plain; charset=utf-8"),
            ("a.csv", "text/csv; charset=utf-8"),
            ("a.md", "text/markdown; charset=utf-8"),
            ("a.xml", "application/xml"),
            ("a.pdf", "application/pdf"),
            ("a.mp4", "video/mp4"),
            ("a.webm", "video/webm"),
            ("a.mp3", "audio/mpeg"),
            ("a.zip", "application/zip"),
            ("a.tar.gz", "application/gzip"),
            ("README", "application/octet-stream"),
            (".well-known", "application/octet-stream"),
            ("a.unheard-of", "application/octet-stream"),
        ] {
            check(&none, name, expected);
        }
    }

    #[test]
    fn word_of_the_configuration_comes_first() {
        let mut types = Types::default();
        types.say("CSS", "text/plain").unwrap();
        types.say("foo", "application/x-foo").unwrap();
        assert!(types.say("bar", "a\nb").is_none());
        check(&types, "a.css", "text/plain");
        check(&types, "a.FOO", "application/x-foo");
        types.say_of_name("Makefile", "text/x-make").unwrap();
        types.say_of_name("special.foo", "a/b").unwrap();
        check(&types, "foo/MAKEFILE", "text/x-make");
        check(&types, "Makefile/a.foo", "application/x-foo");
        check(&types, "a/special.foo", "a/b");
        check(&types, "a.bar", "application/octet-stream");
    }
}
