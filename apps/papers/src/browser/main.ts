/** @file What every page loads. Nothing here is needed to read. */

import './color-scheme.ts';
import './keyboard.ts';
import './keyboard-help.ts';
