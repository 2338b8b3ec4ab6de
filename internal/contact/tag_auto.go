package contact

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/numset"
)

// Sources of tags that nobody gave by hand.
const (
	SourceRule   = "rule"   // a rule holds for the contact
	SourceScore  = "score"  // what the contact did adds up
	SourceImport = "import" // a file said so
	SourceModel  = "model"  // another part of the program found it
	SourceCode   = "code"   // they came by a live code
)

// ranks order the sources inside an exclusive group. Whatever a person did, by
// hand or with work on many, ranks above all that the program does by itself.
var ranks = map[string]int{SourceModel: 1, SourceImport: 2, SourceCode: 2, SourceScore: 3, SourceRule: 4}

func rankOf(source string) int { return cmp.Or(ranks[source], 5) }

// byHand tells whether a tag was changed because a person wanted it so.
func byHand(source string) bool {
	return slices.Contains([]string{"manual", "api", RunBulk, RunFile, SourceOutside}, source)
}

// AutoGiving says what gives and takes tags by itself, and why.
type AutoGiving struct {
	Source string // SourceRule, SourceScore or SourceModel
	By     string // version of the rule or the score, e.g. v3; name of the model
	Reason string // fact, lapse, merge, definition, start, midnight, model
	Live   bool   // false: from old facts or a new definition; nobody did anything just now
}

// AutoLoss is a contact who does not get a tag because another of its exclusive
// group ranks above it.
type AutoLoss struct {
	Contact int64
	Winner  string // the tag that stays
	Source  string // what gave it
}

// AutoOutcome is what a giving came to.
type AutoOutcome struct {
	Given, Taken int
	Lost         []AutoLoss
}

// TagChanged is one tag that a contact got or lost, as AutoTagger is told of it.
type TagChanged struct {
	Contact int64
	Tag     string
	Removed bool
	Cause   string // the tag of the same exclusive group that took its place
	Was     string // what had given a tag that was removed
}

// TagGiverInfo is who or what changed tags.
type TagGiverInfo struct {
	Source   string
	ID, Name string
	Hand     bool // a person wanted it so, by hand or with work on many
	Undo     bool // a person took back what a person had done
	At       int64
}

// TagWeight is what a tag of a contact weighs just now.
type TagWeight struct {
	Weight float64
	Ends   int64 // when it will have faded so far that the tag goes, UTC milliseconds; 0: it does not fade
}

// AutoTagger keeps tags that are given by themselves (package audience/autotag
// implements it).
type AutoTagger interface {
	// Automatic tells for each tag that is given by itself how: by rule or by score.
	Automatic(ctx context.Context) (map[string]string, error)
	// Weights are those of a contact's tags that have one.
	Weights(ctx context.Context, num int64) (map[string]TagWeight, error)
	// TagsChanged follows every change of tags inside the transaction that makes
	// it, but for those that contacts bring along when they become one.
	TagsChanged(ctx context.Context, changes []TagChanged, by TagGiverInfo) error
}

// AutoTags sets who keeps tags that are given by themselves. Call it while wiring.
func (s *Service) AutoTags(a AutoTagger) { s.auto = a }

// AutoTag gives a tag to contacts and takes it from others, for a rule, a score
// or a model, and states it. What a person gave is never taken, nor what an import
// brought. Inside an exclusive group the higher source wins (by hand, rule, score,
// import, model), and the newer among equals. It must run in a transaction.
func (s *Service) AutoTag(ctx context.Context, tag string, give, take []int64, g AutoGiving) (AutoOutcome, error) {
	var out AutoOutcome
	if err := lock(ctx, s.DB); err != nil {
		return out, err
	}
	infos, err := s.tagInfos(ctx, []string{tag})
	if err != nil {
		return out, err
	}
	t, ok := infos[tag]
	if !ok || t.ID != tag {
		return out, errs.New(errs.NotFound, "contact.tag_not_found")
	}
	by := giving{at: s.Clock.Now().UnixMilli(), byID: g.By, byName: g.By, source: g.Source}
	var done []tagChange
	if len(give) > 0 && !t.archived {
		if give, out.Lost, err = s.winners(ctx, t, give, g.Source); err != nil {
			return out, err
		}
		if done, err = s.applyTags(ctx, give, []tagInfo{t}, nil, by); err != nil {
			return out, err
		}
	}
	if len(take) > 0 {
		gone, err := s.takeOwn(ctx, t, take, g.Source)
		if err != nil {
			return out, err
		}
		if err := s.noteTags(ctx, gone, by); err != nil {
			return out, err
		}
		done = append(done, gone...)
	}
	for _, c := range done {
		switch {
		case c.tag.ID != tag: // it took the place of another
		case c.removed:
			out.Taken++
		default:
			out.Given++
		}
	}
	facts := s.tagFacts(done, s.Clock.Now(), "", "", map[string]any{"source": g.Source, "version": g.By, "reason": g.Reason, "live": g.Live})
	if err := s.Emit.Emit(ctx, facts...); err != nil {
		return out, fmt.Errorf("state tags: %w", err)
	}
	return out, nil
}

// winners leaves out of those who are to get a tag the ones who have another of
// its exclusive group from a higher source.
func (s *Service) winners(ctx context.Context, t tagInfo, nums []int64, source string) (win []int64, lost []AutoLoss, err error) {
	if len(t.siblings) == 0 {
		return nums, nil, nil
	}
	fixed := make([]any, len(t.siblings))
	for i, id := range t.siblings {
		fixed[i] = id
	}
	out := map[int64]bool{}
	err = selectIn(ctx, s.DB, "read exclusive tags", "select contact, tag, source from contact_tags where tag in ("+placeholders(len(fixed))+") and contact in (%s) order by contact, tag",
		fixed, nums, func(r *sql.Rows) error {
			var l AutoLoss
			if err := r.Scan(&l.Contact, &l.Winner, &l.Source); err != nil {
				return err
			}
			if rankOf(l.Source) > rankOf(source) && !out[l.Contact] {
				out[l.Contact] = true
				lost = append(lost, l)
			}
			return nil
		})
	for _, n := range nums {
		if !out[n] {
			win = append(win, n)
		}
	}
	return win, lost, err
}

// ownSources are those whose tags a source may take again. A rule that became a
// score, or the other way round, goes on with what it was before.
func ownSources(source string) []any {
	if source == SourceModel {
		return []any{SourceModel, SourceModel}
	}
	return []any{SourceRule, SourceScore}
}

// takeOwn takes a tag from contacts who have it from the source.
func (s *Service) takeOwn(ctx context.Context, t tagInfo, nums []int64, source string) ([]tagChange, error) {
	var done []tagChange
	err := selectIn(ctx, s.DB, "take tag", "delete from contact_tags where tag = $1 and source in ($2, $3) and contact in (%s) returning contact, "+imageColumns,
		append([]any{t.ID}, ownSources(source)...), nums, func(r *sql.Rows) error {
			c := tagChange{removed: true, tag: t.TagRef}
			err := r.Scan(append([]any{&c.num}, c.image.into()...)...)
			done = append(done, c)
			return err
		})
	return done, err
}

// claimTags makes tags that people have by rule or score into ones that were
// given by hand, when somebody gives them by hand as well: they stay from then on.
func (s *Service) claimTags(ctx context.Context, nums []int64, tag string, g giving) error {
	return selectIn(ctx, s.DB, "claim tag", `update contact_tags set source = $1, by_id = $2, by_name = $3, at = $4
		where tag = $5 and source in ($6, $7, $8) and contact in (%s) returning contact`,
		[]any{g.source, g.byID, g.byName, g.at, tag, SourceRule, SourceScore, SourceModel}, nums, func(*sql.Rows) error { return nil })
}

// TagHolders are the contacts who have a tag, and those of them who have it from
// one of the sources: of all, or of the numbers given. Contacts that are part of
// another are never among them. The sets are the caller's.
func (s *Service) TagHolders(ctx context.Context, tag string, sources []string, within []int64) (all, from *numset.Set, err error) {
	all, from = &numset.Set{}, &numset.Set{}
	scan := func(r *sql.Rows) error {
		var num int64
		var source string
		err := r.Scan(&num, &source)
		all.Add(num)
		if slices.Contains(sources, source) {
			from.Add(num)
		}
		return err
	}
	const query = "select t.contact, t.source from contact_tags t join contacts c on c.num = t.contact and c.merged_into = 0 where t.tag = $1"
	if within == nil {
		rows, err := s.DB.Query(ctx, query, tag)
		return all, from, scanAll(rows, err, "read people of tag", scan)
	}
	return all, from, selectIn(ctx, s.DB, "read people of tag", query+" and t.contact in (%s)", []any{tag}, within, scan)
}

// TagNamed gives a tag as it is shown, and whether it may be given: NotFound when there is none.
func (s *Service) TagNamed(ctx context.Context, id string) (t TagRef, archived bool, err error) {
	infos, err := s.tagInfos(ctx, []string{id})
	if err != nil {
		return t, false, err
	}
	info, ok := infos[id]
	if !ok || info.ID != id {
		return t, false, errs.New(errs.NotFound, "contact.tag_not_found")
	}
	return info.TagRef, info.archived, nil
}

// tellAuto tells who keeps automatic tags what changed.
func (s *Service) tellAuto(ctx context.Context, changes []tagChange, g giving) error {
	if s.auto == nil || len(changes) == 0 {
		return nil
	}
	return s.auto.TagsChanged(ctx, toldChanges(changes), TagGiverInfo{Source: g.source, ID: g.byID, Name: g.byName, Hand: byHand(g.source), Undo: g.source == "undo", At: s.Clock.Now().UnixMilli()})
}
