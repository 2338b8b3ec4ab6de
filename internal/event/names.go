package event

import (
	"maps"
	"slices"
)

// Names of the facts that Koipond itself states or derives from calls.
const (
	NameIdentified       = "contact.identified"
	NameAliased          = "contact.aliased"
	NamePageViewed       = "page.viewed"
	NameScreenViewed     = "screen.viewed"
	NameGroupJoined      = "group.joined"
	NameContactCreated   = "contact.created"
	NameContactUpdated   = "contact.updated"
	NameContactMerged    = "contact.merged"
	NameContactSplit     = "contact.split"
	NameContactImport    = "contact.imported"
	NameTagAdded         = "tag.added"
	NameTagRemoved       = "tag.removed"
	NameTagMerged        = "tag.merged" // one tag became another
	NameNoteAdded        = "note.added"
	NameConsentGranted   = "consent.granted"
	NameConsentWithdrawn = "consent.withdrawn"
	NameOwnerChanged     = "owner.changed"
	NameFollowUpPlanned  = "followup.planned"
	NameFollowUpDone     = "followup.done"
	NameFileAdded        = "file.added"
	NameRelationAdded    = "relation.added"
	NameSegmentEntered   = "segment.entered"
	NameSegmentLeft      = "segment.left"
	NameLifecycleChanged = "lifecycle.changed"
	NamePoolChanged      = "pool.changed"
	NameFriendAdded      = "friend.added"       // a customer became a colleague's friend
	NameFriendEdited     = "friend.edited"      // what a colleague notes of one changed
	NameFriendKnown      = "friend.known"       // what the platform says of a friend, as it is now
	NameFriendDeleted    = "friend.deleted"     // by the customer
	NameFriendRemoved    = "friend.removed"     // by the colleague, or in a hand-over
	NameFriendMoved      = "friend.transferred" // another colleague's friend now
	NameTransferFailed   = "transfer.failed"    // the customer refused, or the other has too many
	NameGroupLeft        = "group.left"
	NameWelcomeSent      = "welcome.sent"      // a new friend got a welcome
	NameMessageDelivered = "message.delivered" // what was sent arrived
	NameMessageFailed    = "message.failed"    // and did not
	NameMessageReported  = "message.reported"  // the customer calls it an annoyance
	NameMessageReceived  = "message.received"  // the customer wrote
	NameMessageSent      = "message.sent"      // a colleague or the program wrote
	NameServiceStarted   = "service.started"   // the customer opened customer service
	NameServiceTaken     = "service.taken"     // a colleague took the session over
	NameServiceEnded     = "service.ended"
	NameMomentShown      = "moment.shown" // a colleague's post was shown to the customer
	NameMomentLiked      = "moment.liked"
	NameMomentCommented  = "moment.commented"
	NameReplySent        = "reply.sent" // an auto-reply answered
	NameCodeScanned      = "code.scanned"
	NameLinkClicked      = "link.clicked"
	// Of official accounts and mini-programs.
	NameAccountFollowed     = "account.followed"     // somebody follows an official account
	NameAccountUnfollowed   = "account.unfollowed"   // and does no more
	NameAccountSignedIn     = "account.signed_in"    // somebody proved to a mini-program, or on a page, who they are
	NameFollowerKnown       = "follower.known"       // what the platform says of somebody
	NameMenuClicked         = "menu.clicked"         // in the menu of an official account
	NameLocationReported    = "location.reported"    // about where a customer is
	NameSubscriptionChanged = "subscription.changed" // yes or no to a template of messages
	NamePhoneGiven          = "phone.given"          // by the button of a mini-program
	// Of landing pages, and the rest.
	NamePageLeft      = "page.left"      // a visitor turned away from a landing page, after some seconds
	NameFormSubmitted = "form.submitted" // somebody sent the form of a landing page
	NameGiftDelivered = "gift.delivered" // a newcomer got what was promised, once
	NameGiftWithheld  = "gift.withheld"  // and did not get it again, because they had it
	NameOrderPaid     = "order.paid"
	NameOrderRefunded = "order.refunded"
)

// administrative are the facts that say what staff or the program did. True where a
// customer may have done it as well and said so through a site's write key.
var administrative = map[string]bool{
	NameContactCreated: false, NameContactUpdated: false, NameContactMerged: false, NameContactSplit: false, NameContactImport: false,
	NameTagAdded: false, NameTagRemoved: false, NameTagMerged: false, NameNoteAdded: false,
	NameOwnerChanged: false, NameFollowUpPlanned: false, NameFollowUpDone: false, NameFileAdded: false, NameRelationAdded: false,
	NameSegmentEntered: false, NameSegmentLeft: false,
	NameLifecycleChanged: false, NamePoolChanged: false,
	NameFriendEdited: false, NameFriendKnown: false, NameFollowerKnown: false, NameFriendRemoved: false, NameFriendMoved: false, NameTransferFailed: false,
	NameWelcomeSent:      false,
	NameGiftDelivered:    false,
	NameGiftWithheld:     false,
	NameMessageDelivered: false, NameMessageFailed: false,
	NameMessageSent: false, NameServiceTaken: false, NameServiceEnded: false, NameMomentShown: false,
	NameReplySent:      false,
	NameConsentGranted: true, NameConsentWithdrawn: true,
}

// told are what customers do outside that no website can know: connectors alone
// state it.
var told = map[string]bool{NameFriendAdded: true, NameFriendDeleted: true, NameGroupLeft: true, NameAccountFollowed: true, NameAccountUnfollowed: true,
	NameAccountSignedIn: true, NameMessageReceived: true, NameSubscriptionChanged: true, NamePhoneGiven: true, NameMessageReported: true,
	NameServiceStarted: true, NameMomentLiked: true, NameMomentCommented: true}

// Administrative tells whether facts of this name state what staff or the program
// did, or a word of consent. They are no sign of life of the customer, tell nothing
// of where they came from, and make nobody active.
func Administrative(name string) bool {
	_, ok := administrative[name]
	return ok
}

// AdministrativeNames lists the names for which Administrative is true, sorted.
func AdministrativeNames() []string { return slices.Sorted(maps.Keys(administrative)) }

// Reserved tells whether only Koipond itself may state facts of this name. A write
// key stands in every page of a website: whoever reads it there must not put words
// into a colleague's mouth.
func Reserved(name string) bool {
	byCustomer, ok := administrative[name]
	return told[name] || ok && !byCustomer
}
