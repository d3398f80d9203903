/** @file Methods that score the features of a table. */

export * from './forest-importance.ts';
export * from './kan-select.ts';
export * from './lasso.ts';
export * from './lime.ts';
export * from './mutual-information.ts';
export * from './permutation-importance.ts';
export * from './random-features.ts';
export * from './rashomon-fis.ts';
export * from './responsiveness.ts';
export * from './shap.ts';
export * from './shapley-workflow.ts';
export * from './svm-rfe.ts';
