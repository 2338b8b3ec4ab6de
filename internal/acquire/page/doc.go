// Package page answers: what does a stranger see, and leave behind, before they
// are known?
//
// A landing page is a few plain blocks and one form. It is served by this program
// alone, without a script of the console and without anything from elsewhere, at
// `/p/{slug}`. Opening it is a fact `page.viewed`, sending the form a fact
// `form.submitted` with what was written as traits: the pipeline makes or finds the
// contact, like anybody's. The same sheet sent twice is one fact, for the sheet
// carries its id, signed.
//
// What a page asked and in which words is kept by version. A box that was ticked
// goes to the ledger of consent behind the fact, exactly once, with the page's
// version, the version of the wording, and the network that it came from: whole
// addresses are not kept.
//
// Programs are told apart by what they say of themselves, by a field that people do
// not see, and by being too quick; they are thanked like anybody, and counted apart.
package page
