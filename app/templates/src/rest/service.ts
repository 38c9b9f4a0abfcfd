import { isWebAddress } from "../shared/doors";

/** The address below which a service is asked; null where it can't be. Both files use this, so they never disagree. */
export function baseOf(publicUrl: string): string | null {
  return isWebAddress(publicUrl) && !/[?#]/.test(publicUrl) ? publicUrl.replace(/\/+$/, "") : null;
}
