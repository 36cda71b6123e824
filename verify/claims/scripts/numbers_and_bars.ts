/** Claims about numbers in words, progress bars and flags of numbers. @module */
import { integer, number, numbers, parseFlags, text } from "../../../scripts/cli/flags.ts";
import {
  formatBytes,
  formatDuration,
  formatPercent,
  formatRate,
  ProgressBar,
} from "../../../scripts/cli/terminal.ts";
import { columns } from "../../../src/plots/text_table.ts";
import { claim } from "../../suite/claim.ts";

claim("numbers change their unit where the next one is as exact", (check) => {
  const source = "rounded by hand";
  const seconds = [0, 9.994, 9.996, 59.94, 59.96, 61, 600, 3599.4, 3600, 3661, 36_030, NaN, Infinity];
  check.equal("durations", seconds.map(formatDuration), [
    ...["0.00 s", "9.99 s", "10.0 s", "59.9 s", "1 min 00 s", "1 min 01 s", "10 min 00 s", "59 min 59 s"],
    ...["1 h 00 min", "1 h 01 min", "10 h 01 min", "unknown time", "unknown time"],
  ], source);
  const rates = [1, 0.999, 1 / 60, 0.016, 1234.5].map((rate) => formatRate(rate, "steps"));
  check.equal("rates", rates, [
    ...["1.00 steps/s", "59.9 steps/min", "1.00 steps/min", "57.6 steps/h", "1.23e+3 steps/s"],
  ], source);
  check.equal("sizes", [1, 1000, 999_499, 1e6, 2.5e9, 1e12, 2e15].map(formatBytes), [
    ...["1 B", "1.00 kB", "999 kB", "1.00 MB", "2.50 GB", "1.00 TB", "2.00e+3 TB"],
  ], source);
  const shares = [0, 0.9994, 1, null].map(formatPercent);
  check.equal("shares", shares, ["0.0%", "99.9%", "100.0%", "–"], source);
  const table = columns([["name", "n", "share"], ["a", "12", "5%"]]);
  check.equal("a table", table, "name   n  share\na     12     5%", source);
  const named = columns([["a", "bb", "1"], ["cc", "d", "12"]], 2);
  check.equal("two columns of names", named, "a   bb   1\ncc  d   12", source);
});

claim(
  "a progress bar is full at most, says no rate before there is one, and is drawn ten times a second",
  (check) => {
    let time = 0;
    const written: string[] = [];
    const write = (text: string) => void written.push(text);
    const options = { label: "at work", unit: "steps", now: () => time, write };
    const full = `\r\x1b[Kat work ${"█".repeat(24)}`;
    const bar = new ProgressBar({ ...options, total: 4, terminal: true });
    bar.update(0);
    time = 99;
    bar.update(1);
    time = 100;
    bar.update(2, "half\u0007");
    time = 1000;
    bar.update(6);
    bar.print("a line\u001b");
    bar.finish();
    check.equal("on a terminal", written, [
      `\r\x1b[Kat work ${"░".repeat(24)} 0/4 steps`,
      `\r\x1b[Kat work ${"█".repeat(12)}${"░".repeat(12)} 2/4 steps, 20.0 steps/s, 0.10 s left, half\\u0007`,
      `${full} 6/4 steps, 6.00 steps/s, 0.00 s left`,
      "\r\x1b[K",
      "a line\\u001b\n",
    ], "2 in a tenth of a second; control characters are escaped; the line is cleared once");
    written.length = 0;
    new ProgressBar({ ...options, total: 0, terminal: true }).update(0);
    check.equal("nothing to do", written, [`${full} 0/0 steps`], "all of nothing is done");
    written.length = 0;
    time = 50_000;
    const plain = new ProgressBar({ ...options, total: 4, terminal: false });
    for (time of [54_999, 55_000, 84_999, 85_000]) plain.update(1);
    plain.print("a line");
    plain.finish();
    check.equal("elsewhere", written, [
      "at work 1/4 steps, 12.0 steps/min, 15.0 s left\n",
      "at work 1/4 steps, 1.71 steps/min, 1 min 45 s left\n",
      "a line\n",
    ], "after 5 s and then every 30 s");
  },
);

claim(
  "flags of numbers keep to their bounds, with signs and exponents as people write them",
  async (check) => {
    const usage = {
      name: "f",
      purpose: "F.",
      flags: {
        whole: integer({ help: "w" }),
        most: integer({ help: "m", max: 9, placeholder: "M" }),
        share: number({ help: "s", min: 0, max: 1 }),
        at: numbers({ help: "a", min: 0, max: 20_000 }),
        name: text({ help: "n" }),
      },
    };
    const read = (line: string) => parseFlags(usage, line.split(" "));
    const whole = ["+5", "-5", "9007199254740991"].map((text) => read(`--whole=${text}`).whole);
    check.equal("whole", whole, [5, -5, 2 ** 53 - 1], "as written");
    const shares = ["0", "1", ".5", "0.", "1e-3", "2.5E-1"].map((text) => read(`--share ${text}`).share);
    check.equal("share", shares, [0, 1, 0.5, 0, 0.001, 0.25], "as written, both ends included");
    check.equal("a long range", read("--at 1:10000:1").at.length, 10_000, "at most 10,000 values");
    check.equal("a range of one value", read("--at 2:2:1").at, [2], "from 2 to 2");
    for (
      const [line, message] of [
        ["--whole 9007199254740992", /^--whole must be a whole number, got "9007199254740992"$/],
        ["--whole 1e3", /^--whole must be a whole number, got "1e3"$/],
        ["--most 10", /^--most must be a whole number up to 9, got "10"$/],
        ["--most", /^--most needs a value \(M\)$/],
        ["--share 1.0001", /^--share must be a number from 0 to 1, got "1\.0001"$/],
        ["--share=-0.1", /^--share must be a number from 0 to 1, got "-0\.1"$/],
        ["--share .", /^--share must be a number from 0 to 1, got "\."$/],
        ["--at 0:10000:1", /^--at must be FROM:TO:STEP, going up, such as 0\.1:0\.3:0\.05, got "0:10000:1"$/],
        ["--name", /^--name needs a value \(TEXT\)$/],
        ["--at", /^--at needs a value \(X,…\|FROM:TO:STEP\)$/],
      ] as const
    ) await check.throws(line, () => read(line), message);
  },
);
