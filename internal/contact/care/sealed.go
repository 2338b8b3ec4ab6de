package care

import "github.com/koipond/koipond/internal/platform/vault"

// Sealed are the columns of this package that hold sealed values, for key
// rotation. Files lie in the file store, which is sealed anew as a whole.
func Sealed() []vault.Column {
	return []vault.Column{
		{Table: "follow_ups", Key: "id", Column: "body", Field: textField, Clear: true},
		{Table: "follow_ups", Key: "id", Column: "note", Field: textField, Clear: true},
		{Table: "contact_files", Key: "id", Column: "name", Field: nameField},
		{Table: "contact_relations", Key: "id", Column: "note", Where: "note <> ''", Field: relationField},
	}
}
