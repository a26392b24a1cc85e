//! What all our pages have in common: the frame, the style, no script in them, and every word in them escaped.

use std::time::Duration;

use maud::{DOCTYPE, Markup, html};

/// The style sheet of every page.
pub const STYLE: &str = "
:root{color-scheme:light dark;--line:light-dark(#d8dce0,#3a3f45);--quiet:light-dark(#5a6068,#9aa2ab);--link:light-dark(#0b57d0,#8ab4f8);
 --bad:light-dark(#b3261e,#ff8a80);--doubt:light-dark(#8a5300,#ffb74d);--good:light-dark(#1e6b2a,#81c995);--busy:light-dark(#0b57d0,#8ab4f8)}
body{font:15px/1.5 system-ui,sans-serif;margin:1.5rem auto;max-width:80rem;padding:0 1rem;background:light-dark(#fff,#16181b);color:light-dark(#1b1d20,#e3e5e8)}
h1{font-size:1.5rem;overflow-wrap:anywhere}a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.45rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}td a,.name{overflow-wrap:anywhere}
th{font-weight:600;color:var(--quiet)}tbody tr:hover{background:light-dark(#f5f7f9,#1f2226)}
form{display:flex;gap:.5rem;margin:1rem 0;flex-wrap:wrap;align-items:center}input,select,button{font:inherit;padding:.25rem .5rem;min-width:0}input[type=search]{flex:1 1 18rem;max-width:30rem}
.failed,.broken{color:var(--bad)}.flaky{color:var(--doubt)}.passed{color:var(--good)}.running{color:var(--busy)}.failed,.flaky,.passed{font-weight:600}
.job{margin:0 0 .3rem}.short{white-space:nowrap}.quiet,.unknown{color:var(--quiet)}.size{text-align:right;font-variant-numeric:tabular-nums}
img{display:block;margin:.3rem 0;max-height:5rem;max-width:min(12rem,100%);border:1px solid var(--line);border-radius:3px}.large img{max-height:15rem;max-width:min(30rem,100%)}
@media(max-width:50rem){.cards thead{display:none}.cards,.cards tbody,.cards tr,.cards td{display:block}.cards tr{border-bottom:1px solid var(--line);padding:.6rem 0}
 .cards td{border:0;padding:.1rem 0}.cards td:empty{display:none}.cards td[data-name]::before{content:attr(data-name) ': ';color:var(--quiet)}}
";

/// What browsers ask for unasked, and complain about when it is not there: a tick, SVG.
pub const ICON: &str = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><rect width='16' height='16' rx='3' fill='#2e7d32'/>\
    <path d='m4 8 3 3 5-6' fill='none' stroke='#fff' stroke-width='2'/></svg>";

/// A page with `content` below its title. With `refresh` it is renewed: by `/live.js` where scripts run, else the browser asks for it again after so long.
#[must_use]
pub fn frame(title: &str, refresh: Option<Duration>, content: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) }
                link rel="stylesheet" href="/style.css";
                @if let Some(refresh) = refresh {
                    noscript { meta http-equiv="refresh" content=(refresh.as_secs()); }
                    script src="/live.js" defer {}
                }
            }
            body { main { h1 { (title) } (content) } }
        }
    };
    page.into_string()
}
