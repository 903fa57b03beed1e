/** Functions that call `changed` once they have done what they do. */
export function createTelling(changed: () => void) {
  return <Argument extends readonly unknown[], Result>(act: (...argument: Argument) => Result) =>
    (...argument: Argument): Result => {
      const result = act(...argument)
      changed()
      return result
    }
}
