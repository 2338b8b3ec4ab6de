// Package quality answers: is this traffic people, and does it go on as people of
// this channel usually do?
//
// # Conversions
//
// For each channel and day three shares are watched: who scanned a code and added a
// colleague, who opened a link and saw a page, who saw a landing page and sent its
// form. A day is held against the last eight days of the same weekday: people do
// not behave on a Sunday as on a Monday. Shares of few people jump by chance, so
// each sample is drawn towards the pooled share as if twenty more people had
// behaved like it (a beta prior, as in empirical Bayes). The baseline is the median,
// its spread 1.4826 times the median absolute deviation: half of the samples may be
// wrong without moving either (Rousseeuw and Croux, "Alternatives to the Median
// Absolute Deviation", JASA 1993). A day is told when it is off by more than the
// company's limit, 15 per cent unless set otherwise, and by more than three
// deviations, those of chance on that day's number of people included (three, as
// Leys et al. advise where a false alarm costs work, J. Exp. Soc. Psychol. 2013).
//
// # Bursts and programs
//
// Links and pages tell programs apart by themselves. What is left is watched for
// many openings of one thing, within ten minutes, from one network; and for links
// and pages at which programs came far more often than people.
//
// # Judgement
//
// Nothing is decided by itself. A finding waits for a person, with its figures, its
// baseline, the samples, and whom it speaks of. Judged fake, those of them who
// first came within its span and bought nothing count in no figure any more; nothing
// is deleted, and taking the judgement back brings them back.
package quality
