/** The worker of the playground: all computing is here, so that the page stays free. @module */
import type { ToPage } from "../protocol.ts";
import { serve } from "./serve.ts";

/** What a worker has of its global object. */
interface WorkerScope {
  postMessage(message: ToPage): void;
  onmessage: ((event: MessageEvent<unknown>) => void) | null;
}

const scope = globalThis as unknown as WorkerScope;
const { receive } = serve((message) => scope.postMessage(message));
scope.onmessage = ({ data }) => receive(data);
