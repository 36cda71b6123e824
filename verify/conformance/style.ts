/** How the page looks. @module */

/** The page's style sheet; colours follow the reader's light or dark preference. */
export const pageStyle: string = `
:root { color-scheme: light dark; --ink: #1c2330; --paper: #fdfdfb; --faint: #5d6778; --line: #dcdfe4; --good: #1a7f4b; --bad: #b3261e; --shade: #f3f4f1; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ec; --paper: #14171c; --faint: #9aa4b4; --line: #2d333d; --good: #5cc98f; --bad: #ff8a80; --shade: #1c2027; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 2.5rem 1.25rem 5rem; }
section > p { max-width: 46rem; }
.kicker { margin: 0; color: var(--faint); letter-spacing: .04em; }
h1 { margin: .2rem 0 1rem; font-size: 2.1rem; line-height: 1.2; overflow-wrap: anywhere; }
h1.passed { color: var(--good); } h1.failed { color: var(--bad); }
h2 { margin: 3rem 0 .75rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: 1.4rem; }
h3 { margin: 0; font-size: 1.05rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.25rem; margin: 1.25rem 0; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
small { color: var(--faint); font-size: .82rem; }
.failure { margin: 0 0 1rem; padding: .75rem 1rem; background: var(--shade); border-left: 4px solid var(--bad); border-radius: 4px; }
.failure p { margin: .25rem 0 0; } .failure .words { font-size: 1.05rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; min-width: 760px; font-size: .86rem; line-height: 1.4; }
th { text-align: left; color: var(--faint); font-weight: 600; }
th, td { padding: .35rem .7rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; font-variant-numeric: tabular-nums; }
td { overflow-wrap: anywhere; } td:nth-child(2) { width: 30%; }
td.verdict { white-space: nowrap; font-weight: 700; color: var(--faint); }
tr.holds td.verdict { color: var(--good); } tr.fails td.verdict { color: var(--bad); }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); gap: 1.25rem; }
figure { margin: 0; padding: .75rem; background: var(--shade); border-radius: 6px; }
figure svg { width: 100%; height: auto; display: block; }
figcaption { margin-top: .4rem; color: var(--faint); font-size: .82rem; }
`;
