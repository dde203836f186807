"""Codes of data files and tables, and of the engines that read them."""

from __future__ import annotations

from typing import Final

from upliftlab.util.explanation import Example, Explanation

CODES: Final[tuple[Explanation, ...]] = (
    Explanation(
        "UL201",
        "No such data file",
        "A file that a source names is not in the data folder, or is no longer there.",
        "Mend the name, or name the data folder by --data.",
        example=Example(
            "customers: {file: dta.csv, id: id, known_after: [spent]}",
            "customers: {file: data.csv, id: id, known_after: [spent]}",
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL202",
        "Table cannot be read",
        "A data file is empty, damaged, names a column twice (capital and small letters do not "
        "tell columns apart) or begins with values; or the files of one source have different "
        "columns.",
        "Mend the file: its first line names each column once.",
        example=Example(
            ("id,arm,arm\n1,none,0\n2,email,5\n"),
            ("id,arm,spent\n1,none,0\n2,email,5\n3,none,2\n4,email,0\n"),
            file="data.csv",
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL203",
        "Not a kind of file that is read",
        "The files of a source are of one kind that the engine reads (docs/files.md lists "
        "them), all of them compressed or none. Spark reads CSV, Parquet and JSON. No path "
        "holds one of * ? [ ] { }.",
        "Convert or rename the file.",
        example=Example(
            "customers: {file: data.sav, id: id, known_after: [spent]}",
            "customers: {file: data.csv, id: id, known_after: [spent]}",
            beside={"data.sav": "not read\n"},
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL204",
        "No such table",
        "The database, the server or Spark's catalogue has no table of that name, or a "
        "database file holds several and 'table' names none.",
        "Check 'table' under the source.",
    ),
    Explanation(
        "UL214",
        "Value that a condition cannot use",
        "A condition or a computed column takes a column for numbers or dates, and a value of it "
        "is none, or is too large to compare. It is not taken for missing, as nothing would tell.",
        "Check the condition and the column.",
        example=Example(
            "eligible: age >= 18",
            "eligible: age = 'adult'",
            beside={
                "data.csv": (
                    "id,arm,spent,age\n"
                    "1,none,0,adult\n"
                    "2,email,5,adult\n"
                    "3,none,2,adult\n"
                    "4,email,0,child\n"
                )
            },
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL226",
        "Damaged file",
        "A file is not what its own checksum says, ends too early, or is no gzip or "
        "Parquet file although its name says so.",
        "Fetch or write the file again.",
    ),
    Explanation(
        "UL227",
        "Not the file whose sha256 is kept",
        "Beside a data file lies one that ends in .sha256, and it holds the digest of "
        "another file, or none.",
        "Fetch the file again, or write its digest anew by sha256sum.",
        example=Example(
            "0000000000000000000000000000000000000000000000000000000000000000",
            "dac4788868970b2a019151e3b9f3ebb9ee025e34f2651ea768b536921232ef0f",
            file="data.csv.sha256",
            beside={"data.csv": ("id,arm,spent\n1,none,0\n2,email,5\n3,none,2\n4,email,0\n")},
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL228",
        "Line too long",
        "A line of a CSV file is longer than any table has: more than 2,000,000 bytes, or "
        "65,536 in the first line.",
        "End every row with a line break.",
    ),
    Explanation(
        "UL229",
        "Not a file",
        "A pipe, a device, a socket or a folder stands where a data file is expected.",
        "Name a file.",
    ),
    Explanation(
        "UL230",
        "No permission to read",
        "This user may not read a data file or its folder.",
        "Let this user read both.",
    ),
    Explanation(
        "UL231",
        "Link that leads to itself",
        "A data file is a link that leads back to itself.",
        "Remove the link.",
    ),
    Explanation(
        "UL232",
        "Data changed while they were read",
        "A table was replaced or written to during the command, so that its numbers would "
        "come from two states.",
        "Run it again when nobody writes to it.",
    ),
    Explanation(
        "UL233",
        "Database file that computes",
        "A view or a computed column of a DuckDB file is not run: a data file holds data, "
        "and must not decide what is computed.",
        "Keep the rows by CREATE TABLE … AS FROM … and name that table.",
    ),
    Explanation(
        "UL234",
        "Database file not closed",
        "A DuckDB file was not closed: what was last written lies in a .wal file beside "
        "it and would be missed.",
        "Open it once more in DuckDB and close it.",
    ),
    Explanation(
        "UL261",
        "Text in another encoding",
        "The bytes of a CSV file are no letters in UTF-8, or in the encoding that the "
        "format of its source names; or no encoding is called so. UTF-16 is known by its mark.",
        "Name the encoding under the source, such as format: {encoding: windows-1252}, or "
        "save the file as UTF-8.",
        example=Example(
            "customers: {file: data.csv, id: id, known_after: [spent], format: {encoding: ansi}}",
            "customers: {file: data.csv, id: id, known_after: [spent], format: {encoding: cp1252}}",
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL262",
        "Row that does not fit",
        "A row of a CSV file has more or fewer cells than its first line names columns. Empty "
        "cells at the end are no cells.",
        "Mend the row: a cell that holds the separator is put in quote signs. Lines above the "
        "names of the columns are skipped by format: {skip: 1} under the source.",
        example=Example(
            "id,arm,spent\n1,none,0\n2,email,5,50\n",
            "id,arm,spent\n1,none,0\n2,email,5\n3,none,2\n4,email,0\n",
            file="data.csv",
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL263",
        "Quote sign out of place",
        "A cell of a CSV file begins with a quote sign that is not closed, or text follows "
        "the one that closes it.",
        "Write a quote sign inside a quoted text twice, as spreadsheets do.",
        example=Example(
            'id,arm,spent\n1,none,0\n2,email,"5\n',
            "id,arm,spent\n1,none,0\n2,email,5\n3,none,2\n4,email,0\n",
            file="data.csv",
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL264",
        "Separator that cannot be told",
        "The first line of a CSV file has as many of one candidate as of another (comma, "
        "semicolon, tab, |), or has none while the next line has some.",
        "Write format: {delimiter: ';'} under the source, or how many lines to skip.",
        example=Example(
            "id;arm,spent\n1;none,0\n",
            "id,arm,spent\n1,none,0\n2,email,5\n3,none,2\n4,email,0\n",
            file="data.csv",
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL265",
        "Archive that is no table",
        "A .zip holds no or several files that end in .csv or .tsv, is encrypted, or is "
        "packed in a way that is not read.",
        "Unpack it and name what is in it.",
    ),
    Explanation(
        "UL266",
        "Column without a name",
        "The first line of a CSV file names no column in a place that is neither the first, "
        "where pandas puts its index, nor behind the last.",
        "Name the column or delete it.",
        example=Example(
            "id,,arm,spent\n1,7,none,0\n",
            "id,arm,spent\n1,none,0\n2,email,5\n3,none,2\n4,email,0\n",
            file="data.csv",
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL267",
        "Sheet that is not named or not there",
        "A workbook has several sheets and the source names none, or one that it does not "
        "have; or a sheet is named of a file that is no workbook.",
        "Write 'sheet: NAME' beside 'file', by the name on the sheet's tab.",
        example=Example(
            "customers: {file: data.csv, sheet: Customers, id: id, known_after: [spent]}",
            "customers: {file: data.csv, id: id, known_after: [spent]}",
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL268",
        "Cell of a workbook without a value",
        "A column that is asked for has a cell with an error such as #N/A or #DIV/0!, or one "
        "whose formula no program has computed: read as empty it would be a wrong number.",
        "Mend the formula, or open the workbook in a spreadsheet and save it.",
    ),
    Explanation(
        "UL269",
        "Workbook under a password",
        "A workbook is encrypted and cannot be read.",
        "Save it without a password.",
    ),
    Explanation(
        "UL270",
        "JSON that is no table",
        "A JSON file holds neither an object a line nor one list of objects, whose keys are "
        "the columns; often the list stands under a key of its own.",
        "Write the list alone: jq '.data' export.json > orders.json.",
        example=Example(
            "customers: {file: nested.json, id: id, known_after: [spent]}",
            "customers: {file: data.csv, id: id, known_after: [spent]}",
            beside={"nested.json": '{"data": [{"id": 1, "arm": "none", "spent": 0}]}\n'},
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL501",
        "DuckDB refuses its settings",
        "DuckDB does not start with the settings under 'engine'.",
        "Mend 'threads' or 'memory_limit'.",
    ),
    Explanation(
        "UL502",
        "Query refused",
        "DuckDB, Spark or PostgreSQL refused a query; the message repeats its reason "
        "without values of the data.",
        "Where the reason names a column or a type, check that table; else report it.",
    ),
    Explanation(
        "UL503",
        "Query that an engine cannot say",
        "A query could not be written in the language of this engine.",
        "Report it, or use another engine meanwhile.",
    ),
    Explanation(
        "UL504",
        "Too many threads",
        "'threads' is more than any machine has (1,024).",
        "Name as many as the machine has, or none.",
        example=Example(
            "engine: {threads: 5000}",
            "engine: {threads: 2}",
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL505",
        "Memory that is no size",
        "'memory_limit' is a size between 16 MB and 100 TB.",
        "Write it as 2 GB or 800 MB.",
        example=Example(
            "engine: {memory_limit: plenty}",
            "engine: {memory_limit: 1 GB}",
            run="upliftlab analyze experiments/example.yaml",
        ),
    ),
    Explanation(
        "UL506",
        "Not an address of Spark",
        "'connection' of Spark is the address of a master.",
        "Write it as local[4] or spark://host:7077.",
    ),
    Explanation(
        "UL507",
        "Disk full",
        "There is no room for what does not fit into memory, or for the result.",
        "Make room and run it again.",
    ),
    Explanation(
        "UL508",
        "Not enough memory",
        "DuckDB needs more memory than it may take.",
        "Raise 'memory_limit' or lower 'threads'.",
    ),
    Explanation(
        "UL510",
        "Spark is not installed",
        "Spark is an extra, which is not installed here.",
        "Run: pip install 'upliftlab[spark]'.",
    ),
    Explanation(
        "UL511",
        "Spark does not start",
        "Spark could not be started or reached; the message repeats its reason.",
        "Check Java and 'connection' under 'engine'.",
    ),
    Explanation(
        "UL512",
        "PostgreSQL driver is not installed",
        "The driver of PostgreSQL is an extra, which is not installed here.",
        "Run: pip install 'upliftlab[postgres]'.",
    ),
    Explanation(
        "UL513",
        "PostgreSQL cannot be reached",
        "The server did not answer or refused to let us in; the message repeats its "
        "reason without the password.",
        "Check 'connection' under 'engine' and that the server runs.",
    ),
    Explanation(
        "UL514",
        "Column type without a counterpart",
        "A column on PostgreSQL has a type that cannot be read, such as a range or an array.",
        "Cast it to text or a number in a view.",
    ),
    Explanation(
        "UL613",
        "Data that no source asks for",
        "Data given in Python name a table that the experiment does not read.",
        "Name them as the sources are named; a single frame is the customers'.",
    ),
    Explanation(
        "UL614",
        "Not a table",
        "What was given as data is neither a folder, nor a file, nor a frame that Arrow can read.",
        "Give a pandas, polars or pyarrow table, or a DuckDB relation.",
    ),
    Explanation(
        "UL616",
        "Column of a frame that is no column of values",
        "A column of a frame mixes kinds of values, or holds what no table has, such as lists "
        "or objects.",
        "Give numbers, texts, times or booleans.",
    ),
    Explanation(
        "UL617",
        "Column of a frame without a name of its own",
        "A frame's columns need names that are texts, each once; SQL does not tell capitals "
        "from small letters.",
        "Rename it.",
    ),
    Explanation(
        "UL618",
        "Frame with an index",
        "A pandas frame has an index with a name, and it cannot be told whether that is a column.",
        "Make it a column with reset_index(), or drop it with reset_index(drop=True).",
    ),
    Explanation(
        "UL619",
        "Frames on a server",
        "Frames of this process are read by the embedded engine; the experiment names another.",
        "Leave 'engine' out, or name the tables on the server.",
    ),
    Explanation(
        "UL516",
        "No such engine",
        "'engine' names none that upliftlab has (duckdb, spark, postgres) and none that an "
        "installed package adds.",
        "The message names the nearest and all there are; install the package that adds it.",
    ),
    Explanation(
        "UL517",
        "Engine that answers otherwise",
        "A case of 'upliftlab engine check' has another answer on this engine than it must "
        "have, so that findings would differ too.",
        "Tell the engine's authors; do not analyse on it until the case is answered.",
    ),
    Explanation(
        "UL518",
        "Engine that needs settings",
        "An engine was named without an experiment, and cannot be opened without settings "
        "of its own.",
        "Name an experiment that declares them under 'engine'.",
    ),
    Explanation(
        "UL258",
        "Files of one source that differ in what a column holds",
        "A column holds times with a time zone in one Parquet file of a source and times without "
        "in another, or numbers in one and texts in another: read as one, some would be shifted "
        "or lost.",
        "Write it alike in all files of the source.",
    ),
)
