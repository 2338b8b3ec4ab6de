package connector

import (
	"embed"
	"io/fs"

	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/vault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of this package.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "connector", FS: sub}
}

// The names under which things are sealed or hashed.
const (
	secretsField = "connector_accounts.secrets"
	tokenField   = "connector_tokens.token"
	bodyField    = "connector_inbox.body"
	keyField     = "connector.key"
	subjectField = "connector.subject"
)

// Sealed are the columns that hold sealed values, for key rotation.
func Sealed() []vault.Column {
	return []vault.Column{
		{Table: "connector_accounts", Key: "id", Column: "secrets_enc", Field: secretsField},
		{Table: "connector_tokens", Key: "account name", Column: "token_enc", Field: tokenField},
		{Table: "connector_inbox", Key: "n:n", Column: "body_enc", Field: bodyField},
	}
}
