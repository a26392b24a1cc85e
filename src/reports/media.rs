//! What a browser is told that a file is.

/// How a file is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Media {
    /// `Content-Type`, RFC 9110 §8.3.
    pub content_type: &'static str,
    /// The browser stores it instead of showing it.
    pub is_attachment: bool,
}

/// By the end of the name, since the content is the workflow's; what is not known here is stored, not shown.
#[must_use]
pub fn media(name: &str) -> Media {
    let end = name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).unwrap_or_default();
    let content_type = match end.as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "webm" => "video/webm",
        "mp4" => "video/mp4",
        "ttf" => "font/ttf",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        // As XML it could bring a style sheet that makes a page of it.
        "txt" | "log" | "xml" | "yml" | "yaml" | "csv" | "lcov" | "info" => "text/plain; charset=utf-8",
        "md" => "text/markdown; charset=utf-8",
        "zip" => "application/zip",
        _ => return Media { content_type: "application/octet-stream", is_attachment: true },
    };
    Media { content_type, is_attachment: false }
}

#[cfg(test)]
mod tests {
    use super::media;

    #[test]
    fn what_the_trace_viewer_loads_has_its_own_type() {
        for (name, expected) in [
            ("sw.bundle.js", "text/javascript; charset=utf-8"),
            ("a.mjs", "text/javascript; charset=utf-8"),
            ("manifest.webmanifest", "application/manifest+json"),
            ("x.ZIP", "application/zip"),
            ("x.md", "text/markdown; charset=utf-8"),
            ("x.webm", "video/webm"),
        ] {
            assert_eq!((media(name).content_type, media(name).is_attachment), (expected, false));
        }
    }

    #[test]
    fn what_is_not_known_is_stored() {
        for name in ["a.exe", "a", "html", "a.html.", "a.xhtml"] {
            assert!(media(name).is_attachment, "{name}");
        }
    }
}
