/** The backend of plain JavaScript, loaded where TensorFlow.js comes without it: in bundles for browsers. @module */
import "npm:@tensorflow/tfjs-backend-cpu@4.22.0";
