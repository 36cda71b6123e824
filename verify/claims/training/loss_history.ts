/** Claims about which losses mean that a run has diverged. @module */
import { LossHistory } from "../../../src/training/loss_history.ts";
import { claim } from "../../suite/claim.ts";

claim(
  "a run has diverged after twenty reports in a row of over ten times the largest of the last hundred",
  (check) => {
    const history = (losses: readonly number[]) => {
      const made = new LossHistory();
      for (const loss of losses) made.add(loss);
      return [made.largest, made.blownUp, made.diverged];
    };
    const times = (count: number, loss: number) => Array<number>(count).fill(loss);
    const rows: [what: string, losses: number[], expected: [number, boolean, boolean]][] = [
      ["nothing", [], [Infinity, false, false]],
      ["a first report, however large", [1e9], [1e9, false, false]],
      ["ten times", [2, 1, 20], [20, false, false]],
      ["above ten times", [2, 1, 20.5], [2, true, false]],
      ["NaN", [2, NaN], [2, true, false]],
      ["infinity at first", [Infinity], [Infinity, true, false]],
      ["nineteen", [1, ...times(19, 11)], [1, true, false]],
      ["twenty", [1, ...times(20, 11)], [1, true, true]],
      ["nineteen, a good one and nineteen", [1, ...times(19, 11), 1, ...times(19, 11)], [1, true, false]],
      ["a good one after twenty", [1, ...times(20, 11), 2], [2, false, false]],
      ["the largest among the last hundred", [5, ...times(99, 1)], [5, false, false]],
      ["the largest before the last hundred", [5, ...times(100, 1)], [1, false, false]],
      ["a spike among the last hundred takes no place", [5, 99, ...times(99, 1)], [5, false, false]],
    ];
    for (const [what, losses, expected] of rows) {
      check.equal(what, history(losses), expected, "the rule in its documentation");
    }
  },
);
