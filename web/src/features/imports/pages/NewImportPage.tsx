import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Upload } from '@/shared/api/types'
import { Steps } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { UploadDrop } from '@/shared/ui/UploadDrop'
import { Plan } from '../components/Plan'
import { sendFile } from '../queries'

/** Bring in a file: choose it, say what its columns are, see what would happen, start. */
export default function NewImportPage() {
  const { t } = useTranslation('imports')
  const [upload, setUpload] = useState<Upload>()
  const [checked, setChecked] = useState(false)
  return (
    <Page>
      <PageHead title={t('new.title')} desc={t('new.desc')} back={{ to: '/imports', label: t('title') }} />
      <Steps
        className="kp-steps"
        current={upload ? (checked ? 2 : 1) : 0}
        items={[{ title: t('step.file') }, { title: t('step.columns') }, { title: t('step.check') }]}
      />
      {upload ? (
        <Plan
          upload={upload}
          onChecked={setChecked}
          onBack={() => {
            setUpload(undefined)
            setChecked(false)
          }}
        />
      ) : (
        <Panel>
          <UploadDrop title={t('drop.title')} hint={t('drop.hint')} accept=".csv,.tsv,.txt,.gz,.xlsx" upload={sendFile} onDone={setUpload} />
        </Panel>
      )}
    </Page>
  )
}
