import type { ComponentType } from 'react'
import { loadNamespaces } from '@/shared/i18n/i18n'

type PageModule = { default: ComponentType }

/** A route's lazy loader: fetches the page and the words of its feature side by side. */
export function page(namespaces: string | string[], load: () => Promise<PageModule>): () => Promise<{ Component: ComponentType }> {
  return async () => {
    const [module] = await Promise.all([load(), loadNamespaces(...[namespaces].flat())])
    return { Component: module.default }
  }
}
