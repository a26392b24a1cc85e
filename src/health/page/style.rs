//! What the monitor's page has beside the style of all pages.

/// Comes behind [`crate::page::STYLE`].
pub const STYLE: &str = "
:root{--card:light-dark(#f6f8fa,#1d2024);--fill:light-dark(#0b57d022,#8ab4f833)}
.counts{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;margin:0 0 1rem;padding:0;list-style:none}
.runners{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(17rem,100%),1fr));gap:1rem;margin:0;padding:0;list-style:none}
.runners>li{background:var(--card);border:1px solid var(--line);border-top:3px solid var(--mark,var(--line));border-radius:6px;padding:.7rem .9rem;min-width:0}
.runners>li.failed,.runners>li.flaky,.runners>li.passed,.runners>li.running,.runners>li.quiet{color:inherit;font-weight:inherit}
.runners>.failed{--mark:var(--bad)}.runners>.flaky{--mark:var(--doubt)}.runners>.passed{--mark:var(--good)}.runners>.running{--mark:var(--busy)}
.runners h2{font-size:1.05rem;margin:0 0 .2rem;overflow-wrap:anywhere}.runners p{margin:.2rem 0;overflow-wrap:anywhere}
.meter{display:grid;grid-template-columns:1fr auto;align-items:baseline;margin:.6rem 0 0;font-variant-numeric:tabular-nums}
.meter svg{grid-column:1/-1;display:block;width:100%;height:2.2rem;border-top:1px dashed var(--line);border-bottom:1px solid var(--line)}
.line{fill:none;stroke:var(--link);stroke-width:1.5}.area{fill:var(--fill)}
.facts{display:grid;grid-template-columns:auto 1fr;gap:.1rem .8rem;margin:.7rem 0 0}.facts dt{color:var(--quiet)}.facts dd{margin:0;overflow-wrap:anywhere}
.waiting a,.quiet a{text-decoration:underline}.counts li,.waiting li{overflow-wrap:anywhere}.runners ul{margin:.2rem 0 0;padding-left:1.1rem}code{font:.92em ui-monospace,monospace;overflow-wrap:anywhere}h2{font-size:1.15rem;margin:1.8rem 0 .5rem}
";
