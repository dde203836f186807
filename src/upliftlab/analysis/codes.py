"""Codes of data that cannot be analysed as the plan says."""

from __future__ import annotations

from typing import Final

from upliftlab.util.explanation import Example, Explanation

_TOTALS: Final = (
    "customers:\n  file: data.csv\n  aggregated: {n: n, sum: {spent: s}, sum_sq: {spent: s2}}\n"
)

_START: Final = "assignment: {observed: arm, start: started}\n"
_STARTED: Final = {
    "data.csv": (
        "id,arm,spent,started\n"
        "1,none,0,2026-03-01\n2,email,5,2026-03-01\n3,none,2,2026-03-01\n4,email,0,2026-03-01\n"
        "5,email,3,2026-03-02\n"
    )
}

_SCHOOLS: Final = {
    "data.csv": (
        "id,arm,spent,school,room,home,town,seat\n"
        "1,none,0,a,1,h1,x,1\n2,none,2,b,1,h1,x,2\n3,email,5,a,1,h2,x,3\n4,email,3,b,1,h2,x,4\n"
        "5,none,1,a,2,h3,y,5\n6,none,2,a,2,h3,y,6\n7,email,4,b,2,h4,y,7\n8,email,3,b,2,h4,y,8\n"
        "9,none,1,a,2,h5,y,9\n10,email,6,a,2,h6,y,10\n11,none,1,b,,h7,x,11\n12,email,5,b,1,h8,x,12\n"
    )
}

CODES: Final[tuple[Explanation, ...]] = (
    Explanation(
        "UL645",
        "Strata that compare nothing",
        "Every stratum of observed arms lacks an arm, or a single one holds all of both with one "
        "customer in an arm: nobody can be compared within strata.",
        "Name the columns within which arms were assigned.",
        example=Example(
            "assignment: {observed: arm, strata: [seat]}",
            "assignment: {observed: arm, strata: [school]}",
            beside=_SCHOOLS,
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL646",
        "Customers without a stratum",
        "A column of 'strata' is empty for some customers of observed arms.",
        "Give each a stratum, or leave them out on purpose: 'exclude: pair is null'.",
        example=Example(
            "assignment: {observed: arm, strata: [room]}",
            "assignment: {observed: arm, strata: [room]}\nexclude: room is null",
            beside=_SCHOOLS,
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL647",
        "Unit in several strata",
        "What was randomised holds customers of several strata of observed arms.",
        "Name columns of 'strata' that all customers of a unit share.",
        example=Example(
            "assignment: {observed: arm, unit: home, strata: [school]}",
            "assignment: {observed: arm, unit: home, strata: [town]}",
            beside=_SCHOOLS,
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL309",
        "Day without shares",
        "'shares' by date begin later than customers do, or the day of an assignment is not given.",
        "Begin 'shares' with the day of the first start.",
        example=Example(
            _START + "shares: [{from: 2026-03-02, arms: {none: 50%, email: 50%}}]",
            _START + "shares: [{from: 2026-03-01, arms: {none: 50%, email: 50%}}]",
            beside=_STARTED,
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL310",
        "Arms of different times",
        "In a time of the same shares an arm has fewer than two customers, so that the others "
        "of that time cannot be compared with it.",
        "Check the days of 'shares', or leave out the customers of that time by 'exclude'.",
        example=Example(
            (
                _START + "shares:\n"
                "  - {from: 2026-03-01, arms: {none: 50%, email: 50%}}\n"
                "  - {from: 2026-03-02, arms: {none: 40%, email: 60%}}"
            ),
            _START + "shares:\n  - {from: 2026-03-01, arms: {none: 50%, email: 50%}}",
            beside=_STARTED,
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL207",
        "Nobody there",
        "The data hold no customers, or 'eligible' lets nobody in.",
        "Check the file and 'eligible'.",
        example=Example(
            "eligible: region = 'nowhere'",
            "eligible: region = 'north'",
            beside={
                "data.csv": (
                    "id,arm,spent,region\n"
                    "1,none,0,north\n"
                    "2,email,5,north\n"
                    "3,none,2,north\n"
                    "4,email,0,north\n"
                )
            },
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL208",
        "Customers without an arm",
        "A customer in the table has no arm. Leaving customers out silently would bias "
        "the comparison.",
        "Give each an arm, or leave them out on purpose: 'exclude: arm is null'.",
        example=Example(
            ("id,arm,spent\n1,none,0\n2,,5\n3,none,2\n4,email,0\n"),
            ("id,arm,spent\n1,none,0\n2,email,5\n3,none,2\n4,email,0\n"),
            file="data.csv",
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL209",
        "Arm that is not in the plan",
        "The data hold an arm that 'arms' does not name, or one that is spelt otherwise.",
        "Add it to 'arms', to an arm's labels ('observed'), or to 'ignore_arms'.",
        example=Example(
            ("id,arm,spent\n1,none,0\n2,emial,5\n3,none,2\n4,email,0\n"),
            ("id,arm,spent\n1,none,0\n2,email,5\n3,none,2\n4,email,0\n"),
            file="data.csv",
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL210",
        "Arm that nobody is in",
        "'arms' names an arm of which the data hold no customer.",
        "Check its spelling in 'arms'.",
        example=Example(
            ("id,arm,spent\n1,none,0\n2,none,5\n"),
            ("id,arm,spent\n1,none,0\n2,email,5\n3,none,2\n4,email,0\n"),
            file="data.csv",
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL211",
        "Segment with too many levels",
        "A segment has more than 200 levels, so that it divides customers into hardly anybody.",
        "Declare bands in configs/segments.yaml if it holds numbers, else leave it out.",
    ),
    Explanation(
        "UL212",
        "Customers without an id",
        "Some rows of the customers' table have no id.",
        "Every customer needs one.",
        example=Example(
            ("id,arm,spent\n1,none,0\n,email,5\n3,none,2\n4,email,0\n"),
            ("id,arm,spent\n1,none,0\n2,email,5\n3,none,2\n4,email,0\n"),
            file="data.csv",
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL213",
        "Customer there twice",
        "An id stands in several rows, perhaps in several arms: nobody can tell which counts.",
        "The table needs one row per customer.",
        example=Example(
            ("id,arm,spent\n1,none,0\n1,email,5\n3,none,2\n4,email,0\n"),
            ("id,arm,spent\n1,none,0\n2,email,5\n3,none,2\n4,email,0\n"),
            file="data.csv",
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL217",
        "Customers without a start",
        "Events count from each customer's start, and some have none in the column that tells it.",
        "Every customer who is analysed needs one.",
    ),
    Explanation(
        "UL218",
        "Not a time",
        "A column that is to hold times holds something else, a day that no calendar has, or none "
        "in some rows.",
        "Write times as 2026-03-02 14:30:00, or say under 'format' of the source how they are "
        "written.",
        example=Example(
            ("id,at,amount\n2,yesterday,10\n"),
            ("id,at,amount\n2,2026-03-05 10:00:00,10\n"),
            file="orders.csv",
            beside={
                "experiments/example.yaml": (
                    "customers: {file: data.csv, id: id}\n"
                    "metrics: {primary: sales}\n"
                    "outcome_window: 28 days\n"
                    "waves: [{start: 2026-03-02, share: 100%}]\n"
                ),
                "configs/sources.yaml": "sources: {orders: {file: orders.csv, id: id, time: at}}\n",
                "configs/metrics.yaml": "metrics: {sales: {from: orders, sum: amount}}\n",
            },
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL219",
        "Start not known",
        "Events are counted from each customer's start, which neither waves nor a column tell.",
        "Declare 'waves', or name its column by 'assignment: {start: …}'.",
    ),
    Explanation(
        "UL220",
        "Customers without a household",
        "Households were randomised, and some customers have none.",
        "Fill it, with the customer's id for who lives alone.",
        example=Example(
            ("id,arm,spent,home\n1,none,0,a\n2,email,5,\n3,none,2,c\n4,email,0,d\n"),
            ("id,arm,spent,home\n1,none,0,a\n2,email,5,b\n3,none,2,c\n4,email,0,d\n"),
            file="data.csv",
            beside={
                "experiments/example.yaml": (
                    "customers: {file: data.csv, id: id, household: home, known_after: [spent]}\n"
                    "assignment: {observed: arm, unit: home}\n"
                )
            },
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL250",
        "Check of another package refused",
        "A check that an installed package adds asked for something that the data or the engine "
        "refused. The reasons follow.",
        "Tell its authors, or uninstall that package.",
    ),
    Explanation(
        "UL257",
        "Times with an offset and without",
        "Some times of a column say how far their clock is from UTC, as 10:00Z and 10:00+02:00 "
        "do, and others do not: nobody can tell which clock those are of.",
        "Write all with their offset, or all without it and their zone under 'zone'.",
        example=Example(
            "id,at,amount\n2,2026-03-05T10:00:00Z,10\n4,2026-03-05T10:00:00,10\n",
            "id,at,amount\n2,2026-03-05T10:00:00Z,10\n4,2026-03-05T10:00:00Z,10\n",
            file="orders.csv",
            beside={
                "experiments/example.yaml": (
                    "customers: {file: data.csv, id: id}\n"
                    "metrics: {primary: sales}\n"
                    "outcome_window: 28 days\n"
                    "waves: [{start: 2026-03-02, share: 100%}]\n"
                ),
                "configs/sources.yaml": "sources: {orders: {file: orders.csv, id: id, time: at}}\n",
                "configs/metrics.yaml": "metrics: {sales: {from: orders, sum: amount}}\n",
            },
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL288",
        "Not a number of customers",
        "A row is of several customers, and the column that says of how many ('weight', or 'n' of "
        "'aggregated') holds no whole number there. A weight is 1 or more; a row of totals may be "
        "of nobody.",
        "Write whole numbers, or leave these rows out by 'eligible'.",
        example=Example(
            "arm,spent,count\nnone,0,90.5\nnone,5,10\nemail,0,80\nemail,5,20\n",
            "arm,spent,count\nnone,0,90\nnone,5,10\nemail,0,80\nemail,5,20\n",
            file="data.csv",
            beside={"experiments/example.yaml": "customers: {file: data.csv, weight: count}\n"},
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL289",
        "Total missing",
        "A column that 'aggregated' names holds no number in a row of customers.",
        "Write 0 where there was nothing, or leave these rows out by 'eligible'.",
        example=Example(
            "arm,n,s,s2\nnone,90,50,900\nemail,80,,\n",
            "arm,n,s,s2\nnone,90,50,900\nemail,80,60,990\n",
            file="data.csv",
            beside={"experiments/example.yaml": _TOTALS},
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL293",
        "Totals that contradict each other",
        "No customers can have these totals: more of them bought than there were, squares add up "
        "to less than the sum allows, or a sum is of nobody.",
        "Squares are each customer's, added up: SUM(x * x); of what a customer can have several, "
        "'sum' and 'sum_sq' are needed.",
        example=Example(
            "arm,n,s,s2\nnone,90,50,20\nemail,80,60,30\n",
            "arm,n,s,s2\nnone,90,50,900\nemail,80,60,990\n",
            file="data.csv",
            beside={"experiments/example.yaml": _TOTALS},
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL294",
        "Cumulative totals",
        "Rows are added up, so each must be of other customers. Here all figures of every arm only "
        "grow with the column that 'time' names, as those of everybody so far do.",
        "Name one time by 'eligible', or remove 'time' if each row's customers are new.",
        example=Example(
            "arm,day,n,s,s2\n"
            + "".join(
                f"{arm},{day},{90 * day},{50 * day},{900 * day}\n"
                for arm in ("none", "email")
                for day in range(1, 6)
            ),
            "arm,day,n,s,s2\nnone,5,450,250,4500\nemail,5,450,250,4500\n",
            file="data.csv",
            beside={
                "experiments/example.yaml": _TOTALS.replace(
                    "file: data.csv", "file: data.csv\n  time: day"
                )
            },
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL279",
        "Ignored arm that nobody is in",
        "'ignore_arms' names a label that no customer of the data has.",
        "Mend its spelling, or remove it.",
        example=Example(
            "assignment: {observed: arm, ignore_arms: [medium]}",
            "assignment: {observed: arm}",
            beside={"data.csv": "id,arm,spent\n1,none,0\n2,email,5\n3,none,2\n4,email,0\n"},
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL295",
        "Too few digits left",
        "How a number varies is the difference of two large totals, its squares and the square of "
        "its sum. Where it lies far from 0, hardly a digit of that is left.",
        "Give 'mean' and 'variance' instead of 'sum' and 'sum_sq'.",
        example=Example(
            "arm,n,s,s2\nnone,90,90000000.9,90000001800000.1\nemail,80,80000000.8,80000001600000.1\n",
            "arm,n,s,s2\nnone,90,50,900\nemail,80,60,990\n",
            file="data.csv",
            beside={"experiments/example.yaml": _TOTALS},
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL280",
        "Two arms with one number",
        "The column of arms holds numbers, and two arms have labels that are the same number.",
        "Take one of the labels away.",
    ),
    Explanation(
        "UL302",
        "Nothing says who was in which arm",
        "The data hold no column of arms, and no assignment is on the record.",
        "Name its column by 'assignment: {observed: COLUMN}', or assign customers here.",
    ),
    Explanation(
        "UL303",
        "Looks at what has no date",
        "'looks' ask what a metric was on earlier days, but it is a column of the "
        "customers' table: nothing tells what it was then.",
        "Count it from events, or remove 'looks'.",
        example=Example(
            ("outcome_window: 28 days\nanalysis: {looks: [14 days, 28 days]}"),
            "outcome_window: 28 days",
            beside={"data.csv": ("id,arm,spent\n1,none,0\n2,email,5\n3,none,2\n4,email,0\n")},
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL305",
        "Households were randomised whole",
        "Nearly all households lie in one arm each, yet the plan takes their customers "
        "for independent of each other: intervals would be too narrow.",
        "Say so: 'assignment: {unit: HOUSEHOLD COLUMN}'.",
    ),
)
