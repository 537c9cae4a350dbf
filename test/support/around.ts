/** Replaces what a module exports, for all who call it from now on. */
export const around = <M extends object, K extends keyof M & string>(module: M, name: K, make: (former: M[K]) => M[K]): void => {
  Object.assign(module, { [name]: make(module[name]) })
}
