interface Use {
  ns: string[]
  key?: string
  pattern?: RegExp
}
export function compare(ns: string, zh: object, en: object): string[]
export function uses(source: string): Use[]
export function compareUses(catalogues: Map<string, Set<string>>, files: [string, string][]): string[]
