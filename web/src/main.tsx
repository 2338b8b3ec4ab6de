import { createRoot } from 'react-dom/client'
import './shared/ui/styles/index.css'
import { App } from './app/App'
import { initI18n } from './shared/i18n/i18n'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')

void initI18n().then((lang) => createRoot(root).render(<App initialLang={lang} />))
