//! Faults that the admin orders: for a method and a path prefix, from the nth request on, a number of times or until
//! they are taken back. What they do to an answer is in `broken_answer`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Another status, with `body` or an error of GitHub's form, and `headers`.
    Status,
    /// A page instead of JSON, as from a captive portal (200) or a load balancer (502).
    Html,
    /// The primary rate limit is used up, until `seconds` from now; status 403 or another.
    PrimaryLimit,
    /// A secondary rate limit, with or without `retry_after`; status 403 or another.
    SecondaryLimit,
    /// A redirect to the same path at `location`, which is an origin; status 301 or another.
    Redirect,
    /// The real answer, with a `date` that is `seconds` off.
    SkewDate,
    /// The real answer, broken off half-way.
    Truncate,
    /// The real answer, and a reset in the middle of its body.
    ResetInBody,
    /// The request is carried out, and instead of the answer the connection is reset.
    AnswerLost,
    /// The request is carried out and never answered.
    AnswerHeld,
    /// The connection is reset before anything is done.
    Reset,
    /// The request is accepted and never answered.
    Hang,
    /// The real answer, one byte a second.
    Slow,
}

/// A fault, as ordered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// Absent or `*`: any method.
    #[serde(default)]
    method: Option<String>,
    path_prefix: String,
    /// Only requests whose query has this in it, such as `page=2`.
    #[serde(default)]
    query_contains: Option<String>,
    /// So many requests that fit are spared first.
    #[serde(default)]
    after: u64,
    /// Absent or `null`: for ever.
    #[serde(default)]
    times: Option<u64>,
    pub(crate) kind: Kind,
    #[serde(default)]
    pub(crate) status: Option<u16>,
    #[serde(default)]
    pub(crate) body: Option<Value>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Seconds for a `retry-after` header.
    #[serde(default)]
    pub(crate) retry_after: Option<u64>,
    #[serde(default)]
    pub(crate) location: Option<String>,
    #[serde(default)]
    pub(crate) seconds: Option<i64>,
}

/// The ordered faults; the first that fits a request strikes.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn order(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault that strikes this request, if any; the path counts with and without `/api/v3`.
    pub(crate) fn strike(&mut self, method: &str, path_and_query: &str) -> Option<Fault> {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        for fault in &mut self.0 {
            if fault.times == Some(0) || !fault.fits(method, path, query) {
                continue;
            }
            if fault.after > 0 {
                fault.after -= 1;
                continue;
            }
            if let Some(times) = &mut fault.times {
                *times -= 1;
            }
            return Some(fault.clone());
        }
        None
    }
}

impl Fault {
    fn fits(&self, method: &str, path: &str, query: &str) -> bool {
        let short = path.strip_prefix("/api/v3").unwrap_or(path);
        self.method.as_deref().is_none_or(|own| own == "*" || own.eq_ignore_ascii_case(method))
            && (path.starts_with(&self.path_prefix) || short.starts_with(&self.path_prefix))
            && self.query_contains.as_deref().is_none_or(|part| query.contains(part))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use serde_json::json;

    use super::*;

    fn ordered(fault: Value) -> Faults {
        let mut faults = Faults::default();
        faults.order(serde_json::from_value(fault).unwrap());
        faults
    }

    #[test]
    fn a_fault_spares_the_first_requests_and_strikes_as_often_as_ordered() {
        let mut faults = ordered(json!({ "path_prefix": "/a", "kind": "reset", "after": 2, "times": 1 }));
        let struck: Vec<bool> = (0..5).map(|_| faults.strike("GET", "/api/v3/a/b").is_some()).collect();
        assert_eq!(struck, [false, false, true, false, false]);
    }

    #[test]
    fn a_fault_can_be_for_one_method_and_one_page() {
        let mut faults = ordered(
            json!({ "method": "get", "path_prefix": "/a", "kind": "hang", "query_contains": "page=2" }),
        );
        assert!(faults.strike("GET", "/a?page=1").is_none());
        assert!(faults.strike("POST", "/a?page=2").is_none());
        assert!(faults.strike("GET", "/a?per_page=1&page=2").is_some());
    }
}
