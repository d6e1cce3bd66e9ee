/** The package by its own name, as users import it. */

import * as client from 'stepgate-client';

export * from 'stepgate-client';

export { client };

/** The error classes by name. */
export const errorClasses = Object.fromEntries(
  Object.entries(client).filter(([, value]) => typeof value === 'function' && value.prototype instanceof Error),
);
