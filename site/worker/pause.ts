/**
 * Lets the worker's messages in between two steps: a run that only awaits tensors would not hear that it is to stop.
 * @module
 */

/** Resolves after the messages that wait have been handled. */
export function pause(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
