import { RefreshCw } from 'lucide-react'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { useRouteError } from 'react-router'
import { Button } from '@/shared/ui/kit'
import { Page } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty, ErrorState } from '@/shared/ui/states'

/** A chunk that is gone means that a newer console was put in place while this tab was open. */
function isStaleChunk(error: unknown): boolean {
  return error instanceof Error && /dynamically imported module|module script|preload CSS/i.test(error.message)
}

/** What stands in the place of a page that failed to load or to draw. */
export function RouteError() {
  const error = useRouteError()
  const { t } = useTranslation(['app', 'common'])
  useEffect(() => {
    console.error(error)
  }, [error])
  const reload = () => window.location.reload()
  return (
    <Page>
      <Panel>
        {isStaleChunk(error) ? (
          <Empty
            icon={<RefreshCw size={26} strokeWidth={1.5} aria-hidden />}
            title={t('stale.title')}
            desc={t('stale.desc')}
            action={
              <Button type="primary" onClick={reload}>
                {t('common:action.reload')}
              </Button>
            }
          />
        ) : (
          <ErrorState error={error} onRetry={reload} />
        )}
      </Panel>
    </Page>
  )
}
