package contact

import (
	"cmp"

	"github.com/koipond/koipond/internal/event"
)

// messageForms are the words of what was sent, where it is no text.
var messageForms = map[string]string{
	"text": "timeline.message_form_text", "image": "timeline.message_form_image", "voice": "timeline.message_form_voice", "video": "timeline.message_form_video",
	"file": "timeline.message_form_file", "location": "timeline.message_form_location", "link": "timeline.message_form_link", "miniprogram": "timeline.message_form_miniprogram",
	"msgmenu": "timeline.message_form_menu", "mass": "timeline.message_form_mass",
}

// talked says in words what was said to a customer or by one, and how customer
// service went.
func talked(name string, p map[string]any, say func(code string, params ...any) string) string {
	by := firstWord(p, "staffName", "staff")
	if by == "" {
		by = say("timeline.message_staff")
		if automatic, _ := p["automatic"].(bool); automatic {
			by = say("timeline.message_program")
		}
	}
	text := firstWord(p, "text", "title")
	form := say(cmp.Or(messageForms[firstWord(p, "form")], "timeline.message_form_other"))
	switch name {
	case event.NameMessageReceived:
		if text != "" {
			return say("timeline.message_received", "text", text)
		}
		return say("timeline.message_received_form", "form", form)
	case event.NameMessageSent:
		if text != "" {
			return say("timeline.message_sent", "by", by, "text", text)
		}
		return say("timeline.message_sent_form", "by", by, "form", form)
	case event.NameMessageDelivered:
		return say("timeline.message_delivered", "by", by)
	case event.NameMessageFailed:
		return say("timeline.message_failed", "by", by)
	case event.NameServiceStarted:
		return say("timeline.service_started")
	case event.NameServiceTaken:
		return say("timeline.service_taken", "by", by)
	default:
		return say("timeline.service_ended")
	}
}
