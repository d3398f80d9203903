/** @file A black box: any function from rows to numbers. Methods that explain a model know nothing else of it. */

export type { Predict } from '../../numerics/explanation/predict.ts';

export interface BlackBox {
  /** How reports call it: "logistic regression", "model.onnx". */
  readonly name: string;
  /** Columns a row has. */
  readonly columns: number;
  /** What its numbers are. */
  readonly gives: 'probability' | 'value' | 'label';
  predict(rows: Float64Array): Promise<Float64Array>;
}
