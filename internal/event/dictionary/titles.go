package dictionary

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// builtins are the events that Koipond itself names. They are always expected.
var builtins = map[string]string{
	event.NameIdentified: "dictionary.contact_identified", event.NameAliased: "dictionary.contact_aliased", event.NamePageViewed: "dictionary.page_viewed",
	event.NameScreenViewed: "dictionary.screen_viewed", event.NameGroupJoined: "dictionary.group_joined",
	event.NameContactCreated: "dictionary.contact_created", event.NameContactUpdated: "dictionary.contact_updated",
	event.NameContactMerged: "dictionary.contact_merged", event.NameContactSplit: "dictionary.contact_split", event.NameContactImport: "dictionary.contact_imported",
	event.NameTagAdded: "dictionary.tag_added", event.NameTagRemoved: "dictionary.tag_removed", event.NameTagMerged: "dictionary.tag_merged", event.NameNoteAdded: "dictionary.note_added",
	event.NameConsentGranted: "dictionary.consent_granted", event.NameConsentWithdrawn: "dictionary.consent_withdrawn", event.NameOwnerChanged: "dictionary.owner_changed",
	event.NameFileAdded: "dictionary.file_added", event.NameRelationAdded: "dictionary.relation_added",
	event.NameFollowUpPlanned: "dictionary.followup_planned", event.NameFollowUpDone: "dictionary.followup_done",
	event.NameSegmentEntered: "dictionary.segment_entered", event.NameSegmentLeft: "dictionary.segment_left",
	event.NameLifecycleChanged: "dictionary.lifecycle_changed", event.NamePoolChanged: "dictionary.pool_changed",
	event.NameFriendAdded: "dictionary.friend_added", event.NameFriendEdited: "dictionary.friend_edited", event.NameFriendKnown: "dictionary.friend_known", event.NameFriendDeleted: "dictionary.friend_deleted",
	event.NameFriendRemoved: "dictionary.friend_removed", event.NameFriendMoved: "dictionary.friend_transferred", event.NameTransferFailed: "dictionary.transfer_failed",
	event.NameGroupLeft:       "dictionary.group_left",
	event.NameWelcomeSent:     "dictionary.welcome_sent",
	event.NameReplySent:       "dictionary.reply_sent",
	event.NameCodeScanned:     "dictionary.code_scanned",
	event.NameLinkClicked:     "dictionary.link_clicked",
	event.NameAccountFollowed: "dictionary.account_followed", event.NameAccountUnfollowed: "dictionary.account_unfollowed", event.NameAccountSignedIn: "dictionary.account_signed_in",
	event.NameFollowerKnown: "dictionary.follower_known", event.NameMenuClicked: "dictionary.menu_clicked",
	event.NameLocationReported: "dictionary.location_reported", event.NameSubscriptionChanged: "dictionary.subscription_changed", event.NamePhoneGiven: "dictionary.phone_given",
	event.NamePageLeft: "dictionary.page_left", event.NameFormSubmitted: "dictionary.form_submitted", event.NameGiftDelivered: "dictionary.gift_delivered", event.NameGiftWithheld: "dictionary.gift_withheld",
	event.NameOrderPaid: "dictionary.order_paid", event.NameOrderRefunded: "dictionary.order_refunded",
	event.NameMessageDelivered: "dictionary.message_delivered", event.NameMessageFailed: "dictionary.message_failed",
	event.NameMessageReported: "dictionary.message_reported",
	event.NameMessageReceived: "dictionary.message_received", event.NameMessageSent: "dictionary.message_sent", event.NameServiceStarted: "dictionary.service_started", event.NameServiceTaken: "dictionary.service_taken", event.NameServiceEnded: "dictionary.service_ended", event.NameMomentShown: "dictionary.moment_shown", event.NameMomentLiked: "dictionary.moment_liked", event.NameMomentCommented: "dictionary.moment_commented",
}

// usual are the properties of Segment's specification and of our own events, which
// need no explaining: they have a name until the company gives one.
var usual = map[string]string{
	"name": "dictionary.property_name", "title": "dictionary.property_title", "url": "dictionary.property_url", "path": "dictionary.property_path",
	"referrer": "dictionary.property_referrer", "search": "dictionary.property_query", "query": "dictionary.property_query",
	"keyword": "dictionary.property_query", "sku": "dictionary.property_sku", "product": "dictionary.property_product",
	"product_id": "dictionary.property_sku", "category": "dictionary.property_category", "brand": "dictionary.property_brand",
	"variant": "dictionary.property_variant", "price": "dictionary.property_price", "quantity": "dictionary.property_quantity",
	"coupon": "dictionary.property_coupon", "currency": "dictionary.property_currency", "total": "dictionary.property_total",
	"revenue": "dictionary.property_total", "value": "dictionary.property_value", "discount": "dictionary.property_discount",
	"shipping": "dictionary.property_shipping", "tax": "dictionary.property_tax", "order_id": "dictionary.property_order",
	"orderNumber": "dictionary.property_order", "refundOf": "dictionary.property_order", "method": "dictionary.property_method",
	"channel": "dictionary.property_channel", "campaign": "dictionary.property_campaign", "source": "dictionary.property_source",
	"seconds": "dictionary.property_seconds", "minutes": "dictionary.property_minutes", "duration": "dictionary.property_duration",
	"points": "dictionary.property_points", "stars": "dictionary.property_stars", "text": "dictionary.property_text",
	"group": "dictionary.property_group", "topic": "dictionary.property_topic", "by": "dictionary.property_by", "from": "dictionary.property_from",
	"to": "dictionary.property_to", "why": "dictionary.property_why", "due": "dictionary.property_due", "type": "dictionary.property_type",
	"outcome": "dictionary.property_outcome", "purpose": "dictionary.property_purpose", "tag": "dictionary.property_tag",
	"segment": "dictionary.property_segment", "segmentName": "dictionary.property_segment_name", "reason": "dictionary.property_why", "staff": "dictionary.property_staff", "account": "dictionary.property_account", "state": "dictionary.property_state", "live": "dictionary.property_live",
}

// Builtin tells whether Koipond itself names this event.
func Builtin(name string) bool { return builtins[name] != "" }

// title is what a person reads: what the company says, else our own word for a
// built-in event, else nothing.
func title(ctx context.Context, name, given string) string { return worded(ctx, builtins[name], given) }

// propertyTitle is the same for a property.
func propertyTitle(ctx context.Context, name, given string) string {
	return worded(ctx, usual[name], given)
}

func worded(ctx context.Context, code, given string) string {
	if given != "" || code == "" {
		return given
	}
	if said := httpx.Say(ctx, code, nil); said != code {
		return said
	}
	return ""
}

// Titles gives what people call events; names without a title are left out.
func (s *Service) Titles(ctx context.Context, names []string) (map[string]string, error) {
	out := map[string]string{}
	for _, n := range names {
		if t := title(ctx, n, ""); t != "" {
			out[n] = t
		}
	}
	err := s.inNames(ctx, names, "select name, '', display_name from dictionary_events where display_name <> '' and name in (%s)", func(name, _, given string) { out[name] = given })
	return out, err
}

// PropertyTitles gives what people call the properties of events, by event and
// property. The usual ones have a title under the event "".
func (s *Service) PropertyTitles(ctx context.Context, events []string) (map[string]map[string]string, error) {
	out := map[string]map[string]string{"": {}}
	for name := range usual {
		if t := propertyTitle(ctx, name, ""); t != "" {
			out[""][name] = t
		}
	}
	err := s.inNames(ctx, events, "select event, name, display_name from dictionary_properties where display_name <> '' and event in (%s)", func(ev, name, given string) {
		if out[ev] == nil {
			out[ev] = map[string]string{}
		}
		out[ev][name] = given
	})
	return out, err
}

// inNames runs a query of three texts with %s standing for some names at a time.
func (s *Service) inNames(ctx context.Context, names []string, query string, fn func(a, b, c string)) error {
	for chunk := range slices.Chunk(names, 500) {
		args := make([]any, len(chunk))
		for i, n := range chunk {
			args[i] = n
		}
		rows, err := s.deps.DB.Query(ctx, fmt.Sprintf(query, db.In(1, len(chunk))), args...)
		_, err = db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
			var a, b, c string
			err := r.Scan(&a, &b, &c)
			if err == nil {
				fn(a, b, c)
			}
			return struct{}{}, err
		})
		if err != nil {
			return fmt.Errorf("read titles: %w", err)
		}
	}
	return nil
}
