/** The parameters at the head of a bundle. Throws where its creator set none. */
export function configured<T>(parameters: T | null): T {
  if (parameters) return parameters;
  throw new Error(
    "This file has no parameters yet: make one of your own with bundleTemplate of @securing-tasks/templates.",
  );
}
