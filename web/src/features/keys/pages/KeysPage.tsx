import { useTranslation } from 'react-i18next'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Tokens } from '../components/Tokens'
import { WriteKeys } from '../components/WriteKeys'

/** Write keys and API tokens. */
export default function KeysPage() {
  const { t } = useTranslation('keys')
  return (
    <Page>
      <PageHead title={t('title')} desc={t('desc')} />
      <div className="kp-stack">
        <WriteKeys />
        <Tokens />
      </div>
    </Page>
  )
}
