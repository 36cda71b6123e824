/** Dense linear algebra in float64 on the host: the one door to ml-matrix. @module */
export {
  EigenvalueDecomposition,
  inverse,
  Matrix,
  SingularValueDecomposition,
  solve,
} from "npm:ml-matrix@6.15.1";
