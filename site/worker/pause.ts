/**
 * Lets the worker's messages in between two steps: a run that only awaits tensors would not hear that it is to stop.
 * @module
 */

const { port1, port2 } = new MessageChannel();
let waiting: (() => void)[] = [];
port1.onmessage = () => {
  const now = waiting;
  waiting = [];
  for (const go of now) go();
};

/** Resolves after the messages that wait have been handled. */
export function pause(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    port2.postMessage(null);
  });
}

/** Ends the channel, so that a program that imported this module can end. */
export function closePauses(): void {
  port1.close();
}
