/** The heap of this process after a collection of garbage. @module */
import v8 from "node:v8";
import vm from "node:vm";

let collect: (() => void) | null = null;

/** The bytes that the heap holds once everything that is no longer needed was collected. */
export function collectedHeap(): number {
  if (collect === null) {
    v8.setFlagsFromString("--expose-gc");
    collect = vm.runInNewContext("gc") as () => void;
  }
  collect();
  return Deno.memoryUsage().heapUsed;
}
