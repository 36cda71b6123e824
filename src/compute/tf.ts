/** TensorFlow.js, named once for the whole project; everything else imports it from here. @module */
import { enableProdMode } from "npm:@tensorflow/tfjs@4.22.0";

export * from "npm:@tensorflow/tfjs@4.22.0";

// Production mode skips per-kernel NaN checks and the banner that the cpu backend prints on its first kernel.
enableProdMode();
