/** TensorFlow.js, named once for the whole project; everything else imports it from here. @module */
export * from "npm:@tensorflow/tfjs@4.22.0";
