import { Compass } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { Page } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'

/** No page has this address. */
export function NotFound() {
  const { t } = useTranslation('app')
  return (
    <Page>
      <Panel>
        <Empty
          page
          icon={<Compass size={26} strokeWidth={1.5} aria-hidden />}
          title={t('notFound.title')}
          desc={t('notFound.desc')}
          action={<Link to="/">{t('notFound.home')}</Link>}
        />
      </Panel>
    </Page>
  )
}
