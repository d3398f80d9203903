/** @file What every page may use: keys. Pages work without it. */
