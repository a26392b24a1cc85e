//! Lists in pages, with a `Link` header that leads to the others.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::header::LINK;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};

use super::credentials::Origin;

const DEFAULT_SIZE: usize = 30;
const MAXIMUM_SIZE: usize = 100;

/// The page that is asked for: `per_page` (at most 100) and `page` (from 1).
pub(super) struct Page {
    size: usize,
    number: usize,
    /// The URL of the request without its query.
    url: String,
    /// The rest of the query, which the links keep.
    others: Vec<(String, String)>,
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let Origin(origin) = Origin::from_request_parts(parts, state).await?;
        let OriginalUri(uri) = OriginalUri::from_request_parts(parts, state).await?;
        let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned();
        let mut page = Self {
            size: DEFAULT_SIZE,
            number: 1,
            url: format!("{origin}{}", uri.path()),
            others: Vec::new(),
        };
        for (name, value) in query {
            match name.as_str() {
                "per_page" => page.size = value.parse().unwrap_or(DEFAULT_SIZE).clamp(1, MAXIMUM_SIZE),
                "page" => page.number = value.parse().unwrap_or(1).max(1),
                _ => page.others.push((name, value)),
            }
        }
        Ok(page)
    }
}

impl Page {
    /// The items of this page, and the headers that go with it.
    pub(super) fn of<T>(&self, items: Vec<T>) -> (HeaderMap, Vec<T>) {
        let last = items.len().div_ceil(self.size).max(1);
        let mut headers = HeaderMap::new();
        let links = self.links(last);
        if !links.is_empty()
            && let Ok(links) = HeaderValue::from_str(&links)
        {
            headers.insert(LINK, links);
        }
        let before = (self.number - 1).saturating_mul(self.size);
        (headers, items.into_iter().skip(before).take(self.size).collect())
    }

    fn links(&self, last: usize) -> String {
        let mut relations = Vec::new();
        if self.number > 1 {
            relations.push((self.number - 1, "prev"));
        }
        if self.number < last {
            relations.extend([(self.number + 1, "next"), (last, "last")]);
        }
        if self.number > 1 {
            relations.push((1, "first"));
        }
        let link = |(number, relation): &(usize, &str)| {
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(&self.others)
                .append_pair("per_page", &self.size.to_string())
                .append_pair("page", &number.to_string())
                .finish();
            format!("<{}?{query}>; rel=\"{relation}\"", self.url)
        };
        relations.iter().map(link).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(number: usize) -> Page {
        let others = vec![("name".to_owned(), "a b".to_owned())];
        Page { size: 2, number, url: "http://h/runners".to_owned(), others }
    }

    #[test]
    fn links_lead_to_the_neighbours_and_keep_the_query() {
        let (headers, items) = page(2).of(vec![1, 2, 3, 4, 5]);
        assert_eq!(items, [3, 4]);
        let link = |number, relation| {
            format!("<http://h/runners?name=a+b&per_page=2&page={number}>; rel=\"{relation}\"")
        };
        let expected = [link(1, "prev"), link(3, "next"), link(3, "last"), link(1, "first")].join(", ");
        assert_eq!(headers.get(LINK).and_then(|links| links.to_str().ok()), Some(expected.as_str()));
    }

    #[test]
    fn a_list_of_one_page_has_no_links_and_a_page_behind_the_end_is_empty() {
        assert!(page(1).of(vec![1, 2]).0.is_empty());
        assert!(page(9).of(vec![1, 2, 3]).1.is_empty());
    }
}
