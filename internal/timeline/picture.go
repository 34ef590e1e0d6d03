package timeline

import "time"

// Picture is what is drawn.
type Picture struct {
	// From and To are the ends of the axis. As all times of a picture they count from Start.
	From, To time.Duration
	// Start is the wall clock at 0: the axis has times of day, in its time zone. Default: the axis
	// has offsets from 0.
	Start time.Time
	// Labels stand above all groups.
	Labels []Label
	// Groups are drawn below each other.
	Groups []Group
}

// Group is some lanes that belong together, those of a Pod for example.
type Group struct {
	// Name stands above the lanes, with the labels. Without a name there is no such line.
	Name    string
	Labels  []Label
	Grounds []Ground
	Lanes   []Lane
}

// Lane is one line of a picture.
type Lane struct {
	Name string
	// Minor lanes explain the one above them.
	Minor    bool
	Spans    []Span
	Attempts []Attempt
	Cuts     []Cut
}

// State is what a span stands for.
type State int

// The states.
const (
	Idle     State = iota // waiting, or ended
	Starting              // runs, and has not started yet
	NotReady              // has started
	Ready                 // takes requests
	Stopping
	BackOff
	Some // of a Service: not all of its Pods are ready
	None // of a Service: none is any more
)

// Span is a state that lasts.
type Span struct {
	From, To time.Duration
	// Open spans go on after To, which is the end of what is known.
	Open  bool
	State State
	Word  string
}

// Outcome is what an attempt came to.
type Outcome int

// The outcomes.
const (
	Succeeded    Outcome = iota
	Warned               // a redirect to elsewhere: it counts as a success
	FailedYet            // a failure of what has not come up yet
	Failed               // answered no, refused, exit code not 0
	TimedOut             // no answer in time
	NotEvaluated         // a prober error, or cancelled: not counted
)

// Attempt is an attempt of a probe, or several alike.
type Attempt struct {
	At, Took time.Duration
	Outcome  Outcome
	// Share is how much of the timeout the answer took, 0 to 1.
	Share float64
	// Times is how many attempts this stands for, Every how far apart they are. 0 is 1.
	Times int
	Every time.Duration
	// Counter is written beside the mark where there is room: 2/3.
	Counter string
	// Title is what happened in full.
	Title string
}

func (a *Attempt) times() int { return max(a.Times, 1) }

// last is when the last of the attempts began.
func (a *Attempt) last() time.Duration { return a.At + time.Duration(a.times()-1)*a.Every }

// Cut is where a container was started again.
type Cut struct {
	At    time.Duration
	Title string
}

// Ground is a fault, while it lasts.
type Ground struct {
	From, To time.Duration
	Word     string
}

// Label is a word at a time.
type Label struct {
	At   time.Duration
	Text string
	// Fault labels are about what is done to a Pod, others about what is done because of it.
	Fault bool
}
