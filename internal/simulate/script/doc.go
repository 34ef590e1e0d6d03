// Package script says what a simulation's service does and what happens to it: the programs of the
// containers, and faults.
//
//   - [Script], [Program], [Fault]: the types. [Load] and [Decode] read the YAML form.
//   - [FaultKind]: a row of the table of fault kinds has all that is ever asked of a kind. A new
//     fault is a row there, and a line among the ready-made ones.
//   - [ReadyMadeFault]: what --fault takes, such as hang@60s; [Script.ParseFault] adds one.
//   - [Distribution]: a time, fixed or by chance. [ParseDuration] and [FormatDuration] are how
//     times are written.
//   - [Reference]: what all this looks like, made of the tables that read it.
package script
