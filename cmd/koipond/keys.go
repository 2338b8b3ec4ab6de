package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/app"
	"github.com/koipond/koipond/internal/team"
	"github.com/spf13/cobra"
)

func state(revoked, expires time.Time) string {
	switch {
	case !revoked.IsZero():
		return "revoked"
	case !expires.IsZero() && expires.Before(time.Now()):
		return "expired"
	}
	return "active"
}

func tokenCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "Make, list and revoke API tokens", Example: "  koipond token create --name reports --role analyst\n  koipond token list"}
	var name, role string
	var days int
	create := &cobra.Command{
		Use: "create", Short: "Make a token; prints its secret, this one time, and nothing else",
		Example: "  TOKEN=$(koipond token create --data /var/lib/koipond --name reports --role analyst)",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withRecords(cmd, func(r *app.Records) error {
				var until time.Time
				if days > 0 {
					until = time.Now().AddDate(0, 0, days)
				}
				_, secret, err := r.Team.CreateToken(cli(cmd), name, role, until)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), secret)
				return err
			})
		},
	}
	create.Flags().StringVar(&name, "name", "", "what it is for")
	create.Flags().StringVar(&role, "role", "admin", "what it may do: admin, user_ops, growth, content, copywriter, community, service, analyst, or a role of your own")
	create.Flags().IntVar(&days, "days", 0, "days until it expires; 0: never")
	must(create.MarkFlagRequired("name"))
	list := &cobra.Command{
		Use: "list", Short: "List the tokens", Example: "  koipond token list", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withRecords(cmd, func(r *app.Records) error {
				items, err := r.Team.ListTokens(cli(cmd))
				if err != nil {
					return err
				}
				var rows [][]string
				for _, t := range items {
					rows = append(rows, []string{t.ID, t.Name, t.Role, t.Prefix + "…", state(t.RevokedAt, t.ExpiresAt), day(t.CreatedAt), day(t.LastUsedAt)})
				}
				return table(cmd, "ID\tNAME\tROLE\tTOKEN\tSTATE\tCREATED\tLAST USED", rows)
			})
		},
	}
	cmd.AddCommand(create, list, revokeCmd("token", func(cmd *cobra.Command, r *app.Records, id string) error { return r.Team.RevokeToken(cli(cmd), id) }))
	return cmd
}

func writekeyCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "writekey", Short: "Make, list and revoke write keys", Example: "  koipond writekey create --name website\n  koipond writekey list"}
	var name, source string
	create := &cobra.Command{
		Use: "create", Short: "Make a write key; prints it, this one time, and nothing else",
		Example: "  KEY=$(koipond writekey create --data /var/lib/koipond --name website)",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withRecords(cmd, func(r *app.Records) error {
				_, secret, err := r.Team.CreateWriteKey(cli(cmd), name, source)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), secret)
				return err
			})
		},
	}
	create.Flags().StringVar(&name, "name", "", "what it is for")
	create.Flags().StringVar(&source, "source", "", "source that its facts carry; empty: the name")
	must(create.MarkFlagRequired("name"))
	list := &cobra.Command{
		Use: "list", Short: "List the write keys", Example: "  koipond writekey list", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withRecords(cmd, func(r *app.Records) error {
				items, err := r.Team.ListWriteKeys(cli(cmd))
				if err != nil {
					return err
				}
				var rows [][]string
				for _, k := range items {
					rows = append(rows, []string{k.ID, k.Name, k.Source, k.Prefix + "…", state(k.RevokedAt, time.Time{}), day(k.CreatedAt), day(k.LastUsedAt)})
				}
				return table(cmd, "ID\tNAME\tSOURCE\tKEY\tSTATE\tCREATED\tLAST USED", rows)
			})
		},
	}
	cmd.AddCommand(create, list, revokeCmd("writekey", func(cmd *cobra.Command, r *app.Records, id string) error { return r.Team.RevokeWriteKey(cli(cmd), id) }))
	return cmd
}

func revokeCmd(what string, revoke func(*cobra.Command, *app.Records, string) error) *cobra.Command {
	return &cobra.Command{
		Use: "revoke ID", Short: "Revoke one for good; the running server refuses it within seconds",
		Example: "  koipond " + what + " revoke ID", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withRecords(cmd, func(r *app.Records) error { return revoke(cmd, r, args[0]) })
		},
	}
}

func userCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "Add users, list them, set passwords", Example: "  koipond user create --name 沈知夏 --email zhixia@example.com --role admin\n  koipond user password zhixia@example.com"}
	var in team.NewUser
	create := &cobra.Command{
		Use: "create", Short: "Add a user and print the made password",
		Example: "  koipond user create --name 沈知夏 --email zhixia@example.com --role admin", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withRecords(cmd, func(r *app.Records) error {
				_, password, err := r.Team.CreateUser(cli(cmd), in)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), password)
				return err
			})
		},
	}
	create.Flags().StringVar(&in.Name, "name", "", "name as colleagues see it")
	create.Flags().StringVar(&in.Email, "email", "", "e-mail to sign in with")
	create.Flags().StringVar(&in.Role, "role", "admin", "role")
	must(create.MarkFlagRequired("name"))
	must(create.MarkFlagRequired("email"))
	list := &cobra.Command{
		Use: "list", Short: "List the users", Example: "  koipond user list", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withRecords(cmd, func(r *app.Records) error {
				users, err := r.Team.ListUsers(cli(cmd))
				if err != nil {
					return err
				}
				var rows [][]string
				for _, u := range users {
					rows = append(rows, []string{u.ID, u.Name, u.Email, u.Role, string(u.State), day(u.LastSeenAt)})
				}
				return table(cmd, "ID\tNAME\tE-MAIL\tROLE\tSTATE\tLAST SEEN", rows)
			})
		},
	}
	password := &cobra.Command{
		Use: "password EMAIL", Short: "Set a user's password (asked for, or the first line of standard input); ends their sessions",
		Example: "  koipond user password zhixia@example.com", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withRecords(cmd, func(r *app.Records) error {
				u, err := r.Team.UserByEmail(cli(cmd), args[0])
				if err != nil {
					return err
				}
				p, err := readPassword(cmd)
				if err != nil {
					return err
				}
				return r.Team.SetPassword(cli(cmd), u.ID, p)
			})
		},
	}
	cmd.AddCommand(create, list, password)
	return cmd
}

func auditCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "Check the audit log", Example: "  koipond audit verify"}
	verify := &cobra.Command{
		Use: "verify", Short: "Recompute the hash chain and say whether it holds",
		Example: "  koipond audit verify --data /var/lib/koipond", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withRecords(cmd, func(r *app.Records) error {
				rep, err := r.Audit.Verify(cli(cmd))
				if err != nil {
					return err
				}
				if !rep.OK {
					return fmt.Errorf("the audit log does not hold: entry %d or one before it was altered (%d checked)", rep.FirstBad, rep.Checked)
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "the audit log holds: %d entries, head %s\n", rep.Checked, rep.Head)
				return err
			})
		},
	}
	var why string
	accept := &cobra.Command{
		Use: "accept", Short: "Accept a break in the log, say why, and go on sealing from there",
		Long:    "After the records were put back from somewhere else, or were altered by hand with good reason, the log says so and stops sealing. This records who accepted that, and why.",
		Example: "  koipond audit accept --why 'restored from the backup of 3 May'", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withRecords(cmd, func(r *app.Records) error { return r.Audit.Accept(cli(cmd), why) })
		},
	}
	accept.Flags().StringVar(&why, "why", "", "what happened, for whoever reads the log later")
	must(accept.MarkFlagRequired("why"))
	cmd.AddCommand(verify, accept)
	return cmd
}

// must is for flags declared a line above: they exist.
func must(err error) {
	if err != nil {
		panic(errors.Join(errors.New("koipond: flags"), err))
	}
}
