/** How the report looks. @module */

/** The page's style sheet; colours follow the reader's light or dark preference. */
export const reportStyle: string = `
:root { color-scheme: light dark; --ink: #1c2330; --paper: #fdfdfb; --faint: #5d6778; --line: #dcdfe4; --good: #1a7f4b; --bad: #b3261e; --shade: #f3f4f1; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ec; --paper: #14171c; --faint: #9aa4b4; --line: #2d333d; --good: #5cc98f; --bad: #ff8a80; --shade: #1c2027; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 2.5rem 1.25rem 5rem; }
header p { max-width: 46rem; }
.kicker { margin: 0; color: var(--faint); letter-spacing: .04em; }
h1 { margin: .2rem 0 1rem; font-size: 2.1rem; line-height: 1.2; }
h1.passed { color: var(--good); } h1.failed { color: var(--bad); }
h2 { margin: 3rem 0 .75rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: 1.4rem; }
h3 { margin: 2rem 0 .5rem; font-size: 1.1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.25rem; margin: 1.25rem 0; }
dt { color: var(--faint); } dd { margin: 0; }
a { color: inherit; }
small { color: var(--faint); font-size: .82rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; line-height: 1.4; }
th { text-align: left; color: var(--faint); font-weight: 600; }
th, td { padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; font-variant-numeric: tabular-nums; }
td { overflow-wrap: anywhere; min-width: 3.2rem; } td:first-child { min-width: 1.2rem; }
td.number { text-align: right; padding-right: 1.5rem; }
tr.failed td, tr.survived td, tr.stale td, tr.broken td { color: var(--bad); }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(340px, 1fr)); gap: 1.25rem; }
.tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(470px, 1fr)); gap: 0 2.5rem; }
.tables table { font-size: .8rem; }
.tables th, .tables td { white-space: nowrap; overflow-wrap: normal; padding-right: .6rem; }
.tables h3 { font-size: 1rem; margin: 1rem 0 .2rem; }
#faults table { table-layout: fixed; }
#faults th:nth-child(1), #faults th:nth-child(4) { width: 25%; } #faults th:nth-child(2) { width: 7%; } #faults th:nth-child(3) { width: 14%; }
figure { margin: 0; padding: .75rem; background: var(--shade); border-radius: 6px; }
figure svg { width: 100%; height: auto; display: block; }
figcaption { margin-top: .4rem; color: var(--faint); font-size: .82rem; }
details.claim { padding: .3rem 0; border-bottom: 1px solid var(--line); }
details.claim > summary { cursor: pointer; padding-left: 1.6rem; text-indent: -1.6rem; }
details.claim > .scroll { margin: .5rem 0 1rem 1.6rem; }
summary::marker { content: ""; } summary::-webkit-details-marker { display: none; }
.mark { display: inline-block; width: 1.6rem; text-indent: 0; font-weight: 700; }
.passed > summary .mark { color: var(--good); } .failed > summary .mark { color: var(--bad); } .skipped > summary { color: var(--faint); }
pre { overflow: auto; max-height: 14rem; padding: .75rem; background: var(--shade); font-size: .8rem; }
`;
