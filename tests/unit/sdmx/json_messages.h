// json_messages - messages in SDMX-JSON, what is wrong with each, and the CSV
// that says the same; for the structure of obs_fixture.h.
#pragma once

#include "tests/unit/sdmx/obs_fixture.h"

// Messages are written with ' for ".
#define META                                                                   \
    "{'$schema':'https://json.sdmx.org/2.1/sdmx-json-data-schema.json',"       \
    "'meta':{'id':'X','prepared':'2020-01-01','test':true,"                    \
    "'sender':{'id':'BIS'}},'data':{"
#define LINK                                                                   \
    "'links':[{'rel':'self','href':'http://x/dataflow/NONE/F'},"               \
    "{'urn':'urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=T:FLOW(1.0)'," \
    "'rel':'dataflow'}],"

#define DIM_FREQ                                                               \
    "{'id':'FREQ','keyPosition':0,'values':[{'id':'A','name':'Annual'}]}"
#define DIM_AREA                                                               \
    "{'id':'AREA','keyPosition':1,'values':[{'id':'KE'},{'name':'U','id':"     \
    "'UG'},{'id':'TZ','names':{'en':'T'}}]}"
#define DIM_TIME                                                               \
    "{'id':'TIME_PERIOD','keyPosition':2,'values':[{'id':'2020','name':'x'},"  \
    "{'id':'2021'},{'value':'2022'},'2023']}"
#define DIMS                                                                   \
    "'dimensions':{'dataSet':[" DIM_FREQ "],'series':[" DIM_AREA "],"          \
    "'observation':[" DIM_TIME "]},"
#define FLAT                                                                   \
    "'dimensions':{'observation':[" DIM_FREQ "," DIM_AREA "," DIM_TIME "]},"
#define TURNED                                                                 \
    "'dimensions':{'observation':[" DIM_AREA "," DIM_FREQ "," DIM_TIME "]},"
#define MEASURES "'measures':{'observation':[{'id':'OBS_VALUE'}]},"
#define STATUS   "{'id':'STATUS','values':[{'id':'N'},{'id':'E'},null]}"
#define NOTE     "{'id':'NOTE','format':{'dataType':'String'}}"
#define UNIT     "{'id':'UNIT','values':[{'value':'PT'},{'name':'IX'}]}"
#define TITLE    "{'id':'TITLE','relationship':{'dimensions':['AREA']}}"
#define SOURCE   "{'id':'SOURCE','values':[{'id':'S'}]}"
#define ATTRS                                                                  \
    "'attributes':{'dataSet':[" SOURCE "],'dimensionGroup':[" TITLE "],"       \
    "'series':[" UNIT "],'observation':[" STATUS "," NOTE "]}"
#define STRUCTURE "'structures':[{" LINK DIMS MEASURES ATTRS "}],"
#define SET       "'dataSets':[{'structure':0,'action':'Information',"
#define END       "}]}}"
#define M         META STRUCTURE SET

#define V2                                                                     \
    "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,AREA,TIME_PERIOD,OBS_VALUE,"           \
    "STATUS,UNIT,TITLE,SOURCE,NOTE\n"
#define F "dataflow,T:FLOW(1.0),"

enum { ANY_ORDER = 1, TWICE = 2 }; // TWICE: is read twice as it stands

// same: a CSV message that says the same; NULL: not compared.
static const struct {
    const char *json;
    unsigned how;
    uint64_t rows;
    const char *faults;
    const char *same;
} messages[] = {
    // attributes of data set, group and series stand on each row; numbers are
    // what was written, texts are text, what is cut or null is absent
    {M "'attributes':[0],'dimensionGroupAttributes':{':0:':['T']},'series':{"
       "'0':{'attributes':[0],'annotations':[7],'observations':{"
       "'0':[3.10,0,'n'],'1':['NaN',1],'2':[null,0,null],'3':[-1E+5,0,'',3]}},"
       "'1':{'attributes':[1],'observations':{'0':[1e0,0]}}}" END,
     ANY_ORDER, 5, "",
     V2 F "I,A,KE,2020,3.10,N,PT,T,S,n\n" F "I,A,KE,2021,NaN,E,PT,T,S,\n" F
          "I,A,KE,2022,,N,PT,T,S,\n" F "I,A,KE,2023,-1E+5,N,PT,T,S,\n" F
          "I,A,UG,2020,1e0,N,IX,,S,\n"},
    // 1.0: one structure, no measures, links by address only
    {"{'meta':{'id':'X'},'data':{'structure':{'links':[{'rel':'dataflow',"
     "'href':'https://x/service/dataflow/T/FLOW/1.0?a=b'}],"
     "'dimensions':{'dataSet':[" DIM_FREQ
     ",{'id':'AREA','values':[{'id':'KE'}]}"
     "],'observation':[" DIM_TIME "]},"
     "'attributes':{'dataSet':[" UNIT "],'observation':[" STATUS "]}},"
     "'dataSets':[{'action':'Replace','attributes':[0],'observations':{"
     "'0':[1,0],'1':[2,1]}}]}}",
     ANY_ORDER, 2, "",
     V2 F "R,A,KE,2020,1,N,PT,,,\n" F "R,A,KE,2021,2,E,PT,,,\n"},
    // the draft before it
    {"{'header':{'id':'X'},'structure':{'links':[{'rel':'dataflow','href':"
     "'https://x/rest/dataflow/T/FLOW'}],'dimensions':{'dataset':[" DIM_FREQ
     "],'series':[" DIM_AREA "],'observation':[" DIM_TIME
     "]},'attributes':{'series':[" UNIT "],'observation':[" STATUS
     "]}},'dataSets':[{'action':'Information','series':{'2':{'attributes':[0],"
     "'observations':{'1':[1,0]}}}}]}",
     ANY_ORDER, 1, "", V2 F "I,A,TZ,2021,1,N,PT,,,\n"},
    // flat; groups by any set of dimensions, those of observations too
    {META
     "'structures':[{" LINK FLAT MEASURES
     "'attributes':{'dimensionGroup':[" TITLE
     ",{'id':'UNIT','default':'PT'},{'id':'SOURCE'}],'observation':[" STATUS
     "]}}]," SET "'dimensionGroupAttributes':{'::':[null,null,'S'],"
     "':1:':['U'],'::1':[null,'IX']},'observations':{'0:0:0':[1,0],"
     "'0:1:0':[2,0],'0:0:1':[3,0],'0:1:1':[4,0]}" END,
     ANY_ORDER, 4, "ATTR_CONFLICT UNIT 3 IX\n",
     V2 F "I,A,KE,2020,1,N,PT,,S,\n" F "I,A,UG,2020,2,N,PT,U,S,\n" F
          "I,A,KE,2021,3,N,IX,,S,\n" F "I,A,UG,2021,4,N,IX,U,S,\n"},
    // keys of groups by order and by keyPosition; the relationship decides
    {META
     "'structures':[{" LINK TURNED MEASURES "'attributes':{'dimensionGroup'"
     ":[" TITLE ",{'id':'NOTE'}],'observation':[" STATUS "," UNIT "]}}]," SET
     "'dimensionGroupAttributes':{'1::':['a'],':2:':['b'],'0::':['c']},"
     "'observations':{'0:0:0':[1,0,0],'1:0:0':[1,0,0],'2:0:0':[1,0,0]}" END,
     ANY_ORDER, 3, "",
     V2 F "I,A,KE,2020,1,N,PT,c,,\n" F "I,A,UG,2020,1,N,PT,a,,\n" F
          "I,A,TZ,2020,1,N,PT,b,,\n"},
    {META
     "'structures':[{" LINK TURNED MEASURES "'attributes':{'dimensionGroup'"
     ":[" TITLE ",{'id':'NOTE'}],'observation':[" STATUS "," UNIT "]}}]," SET
     "'dimensionGroupAttributes':{':0:':['c']},"
     "'observations':{'0:0:0':[1,0,0],'1:0:0':[1,0,0]}" END,
     ANY_ORDER, 2, "",
     V2 F "I,A,KE,2020,1,N,PT,c,,\n" F "I,A,UG,2020,1,N,PT,,,\n"},
    {META
     "'structures':[{" LINK TURNED MEASURES "'attributes':{'dimensionGroup'"
     ":[" TITLE ",{'id':'NOTE'}],'observation':[" STATUS "," UNIT "]}}]," SET
     "'dimensionGroupAttributes':{'0::':[null,'n']},"
     "'observations':{'0:0:0':[1,0,0]}" END,
     ANY_ORDER, 1, "JSON dimensionGroupAttributes 0 \n", NULL},
    // off: not attached to a dimension; a row of its own
    {M "'attributes':[],'dimensionGroupAttributes':{'~:1:':['T'],'::':['A']},"
       "'series':{}" END,
     0, 2, "DIM_MISSING AREA 2 \n", V2 F "I,~,UG,,,,,T,,\n" F "I,,,,,,,A,,\n"},
    // a group, a series and a data set that meet no observation
    {M "'dimensionGroupAttributes':{':2:':['T']},'series':{'0':{'attributes':"
       "[0]},'1':{'attributes':[null]}}" END,
     0, 2, "", V2 F "I,,TZ,,,,,T,,\n" F "I,A,KE,,,,PT,,,\n"},
    {M "'attributes':[0],'series':{}" END, ANY_ORDER, 1, "",
     V2 F "I,,,,,,,,S,\n"},
    // the default stands where nothing is said, but not where data are deleted
    {META
     "'structures':[{" LINK FLAT
     "'attributes':{'dataSet':[{'id':'SOURCE','default':'D'}],'observation'"
     ":[{'id':'UNIT','default':'PT'},{'id':'STATUS','default':'N','values':"
     "[null,{'id':'E'}]}]}}],"
     "'dataSets':[{'action':'Merge','observations':{'0:0:0':[1],'0:0:1':"
     "[2,null,0],'0:0:2':[3,'IX',1]}},{'action':'Delete','observations':{"
     "'0:1:0':[],'0:2:':[],'0:2:1':[0]}}]}}",
     0, 6, "ATTR_CONFLICT UNIT 3 IX\n",
     V2 F "M,A,KE,2020,1,N,PT,,D,\n" F "M,A,KE,2021,2,N,PT,,D,\n" F
          "M,A,KE,2022,3,E,IX,,D,\n" F "D,A,UG,2020,,,,,,\n" F
          "D,A,TZ,,,,,,,\n" F "D,A,TZ,2021,0,,,,,\n"},
    // delete a series, everything of a data set's dimensions
    {META STRUCTURE
     "'dataSets':[{'action':'Delete','attributes':[],"
     "'dimensionGroupAttributes':{},'series':{'1':{}}},{'action':'Delete'}]}}",
     0, 2, "", V2 F "D,A,UG,,,,,,,\n" F "D,A,,,,,,,,\n"},
    // several values, languages, both; indexes in lists
    {META
     "'structures':[{" LINK FLAT
     "'attributes':{'observation':[{'id':'NOTE'},{'id':'SOURCE'},{'id':"
     "'UNIT','values':[{'value':'PT'},{'values':['IX','PT']},{'value':{'fr'"
     ":'a','en':'b'}}]}," STATUS "]}}]," SET
     "'observations':{'0:0:0':[1,['a','b'],{'fr':'x','en':'y;'},[0,0],0],"
     "'0:1:0':[1,['a'],{'en':''},1,0],'0:2:0':[1,[''],null,[],0]}" END,
     ANY_ORDER, 3, "OCCURS UNIT 1 \nOCCURS NOTE 1 \nATTR_MANDATORY UNIT 3 \n",
     "STRUCTURE[;],STRUCTURE_ID,FREQ,AREA,TIME_PERIOD,OBS_VALUE,NOTE[],"
     "SOURCE[en;fr],UNIT[],STATUS\n"
     "dataflow,T:FLOW(1.0),A,KE,2020,1,a;b,\"\"\"en:y;\"\";fr:x\",PT;PT,N\n"
     "dataflow,T:FLOW(1.0),A,UG,2020,1,a,,IX;PT,N\n"
     "dataflow,T:FLOW(1.0),A,TZ,2020,1,,,,N\n"},
    {META
     "'structures':[{" LINK FLAT
     "'attributes':{'observation':[{'id':'NOTE'},{'id':'UNIT','values':["
     "{'value':{'fr':'a','en':'b'}}]}," STATUS "]}}]," SET
     "'observations':{'0:0:0':[true,[{'en':'1','de':''},{'de':'2'}],0,0]}" END,
     ANY_ORDER, 1, "TYPE OBS_VALUE 1 true\nOCCURS NOTE 1 \n",
     "STRUCTURE[;],STRUCTURE_ID,FREQ,AREA,TIME_PERIOD,OBS_VALUE,NOTE[][en;de],"
     "UNIT[en;fr],STATUS\n"
     "dataflow,T:FLOW(1.0),A,KE,2020,true,\"\"\"en:1\"\";\"\"de:2\"\"\",en:b;fr:a,N\n"},
    // the structure behind the data; no action, so the version decides
    {META "'dataSets':[{'series':{'0':{'observations':{'0':[1,0]},"
          "'attributes':[0]}}}]," STRUCTURE "'x':[]}}",
     ANY_ORDER | TWICE, 1, "", V2 F "M,A,KE,2020,1,N,PT,,,\n"},
    // what the first reading could say is not said again
    {META STRUCTURE
     "'dataSets':[{'action':'Merge','attributes':[0],"
     "'dimensionGroupAttributes':{},'series':{'0':{'attributes':[0],"
     "'observations':{'0':[1,0]}}}},{'action':'Merge','series':{'1':{"
     "'attributes':[0],'observations':{'0':[2,0]}}},'attributes':[0],"
     "'dimensionGroupAttributes':{}}]}}",
     TWICE, 2, "",
     V2 F "M,A,KE,2020,1,N,PT,,S,\n" F "M,A,UG,2020,2,N,PT,,S,\n"},
    // the sample's way with keys of flat data
    {M "'attributes':[],'dimensionGroupAttributes':{},'observations':{"
       "'1:2':[1,0]}" END,
     0, 1, "ATTR_MANDATORY UNIT 1 \n", V2 F "I,A,UG,2022,1,N,,,,\n"},
    // a group of some observations of a series
    {M
     "'attributes':[],'dimensionGroupAttributes':{'::1':['T']},'series':{'0':{"
     "'attributes':[0],'observations':{'0':[1,0],'1':[2,0],'2':[3,0]}}}" END,
     ANY_ORDER, 3, "",
     V2 F "I,A,KE,2020,1,N,PT,,,\n" F "I,A,KE,2021,2,N,PT,T,,\n" F
          "I,A,KE,2022,3,N,PT,,,\n"},
    {M "'attributes':[],'dimensionGroupAttributes':{},'series':{'0':{"
       "'attributes':[0],'observations':{'0':[01,0]}}}" END,
     0, 1, "JSON  0 \n", NULL},
    // each of what may stand behind the rows, alone
    {META "'structures':[{" LINK FLAT "'attributes':{'observation':[" STATUS
          "," UNIT "]}}],'dataSets':[{'observations':{'0:0:0':[1,0,0]},"
          "'action':'Delete'}]}}",
     ANY_ORDER, 1, "", V2 F "D,A,KE,2020,1,N,PT,,,\n"},
    {META "'structures':[{" LINK FLAT "'attributes':{'dataSet':[" SOURCE
          "],'observation':[" STATUS "," UNIT
          "]}}],'dataSets':[{'action':'Replace','observations':{'0:0:0':[1,0,0]"
          "},'attributes':[0]}]}}",
     TWICE, 1, "", V2 F "R,A,KE,2020,1,N,PT,,S,\n"},
    {META "'structures':[{" LINK FLAT "'attributes':{'dimensionGroup':[" TITLE
          "],'observation':[" STATUS "," UNIT
          "]}}],'dataSets':[{'action':'Replace','observations':{'0:0:0':[1,0,0]"
          "},'dimensionGroupAttributes':{':0:':['T']}}]}}",
     TWICE, 1, "", V2 F "R,A,KE,2020,1,N,PT,T,,\n"},
    {META "'structures':[{" LINK FLAT "'attributes':{'observation':[" STATUS
          "]}},{" LINK FLAT "'attributes':{'observation':[" STATUS "," UNIT
          "]}}],'dataSets':[{'action':'Replace','observations':{'0:0:0':[1,0,0]"
          "},'structure':1}]}}",
     ANY_ORDER, 1, "", V2 F "R,A,KE,2020,1,N,PT,,,\n"},
    // without an action: 2.1 merges, and what merges need not be whole
    {META "'structures':[{" LINK FLAT
          "'attributes':{}}],'dataSets':[{'observations':{'0:0:0':[1]}}]}}",
     ANY_ORDER, 1, "", V2 F "M,A,KE,2020,1,,,,,\n"},
    {"{'data':{'structures':[{" LINK FLAT
     "'attributes':{}}],'dataSets':[{'observations':{'0:0:0':[1]}}]}}",
     ANY_ORDER, 1, "ATTR_MANDATORY STATUS 0 \nATTR_MANDATORY UNIT 0 \n",
     V2 F "I,A,KE,2020,1,,,,,\n"},
    // no measures; an attribute of the data set that has dimensions
    {META "'structures':[{" LINK FLAT
          "'measures':{},'attributes':{'observation':[" STATUS "," UNIT
          "]}}]," SET "'observations':{'0:0:0':[1,0]}" END,
     ANY_ORDER, 1, "", V2 F "I,A,KE,2020,,E,PT,,,\n"},
    {META "'structures':[{" LINK DIMS "'attributes':{'dataSet':[" UNIT
          "]}}]," SET "'attributes':[0]" END,
     ANY_ORDER, 1, "DIM_MISSING AREA 1 \n", V2 F "I,A,,,,,PT,,,\n"},
    // rows that are no observation, or of no series, have no indexes of others
    {M "'attributes':[],'dimensionGroupAttributes':{'::1':['T'],':0:':['A']},"
       "'series':{'2':{'attributes':[0],'observations':{'1':[1,0]}},'1':{"
       "'attributes':[0]}}" END,
     0, 3, "",
     V2 F "I,A,TZ,2021,1,N,PT,T,,\n" F "I,A,UG,,,,PT,,,\n" F "I,,KE,,,,,A,,\n"},
    {M "'attributes':[],'dimensionGroupAttributes':{':2:':['T']},"
       "'series':{'2':{'attributes':[0],'observations':{'1':[1,0]}}},"
       "'observations':{'0':[2,0]}" END,
     0, 2, "DIM_MISSING AREA 2 \nATTR_MANDATORY UNIT 2 \n",
     V2 F "I,A,TZ,2021,1,N,PT,T,,\n" F "I,A,,2020,2,N,,,,\n"},
    // the first link counts; the address of REST ends at its question
    {META
     "'structures':[{'links':[{'rel':'DataStructure','urn':'a=T:D'},{'rel':"
     "'dataflow','urn':'a=NONE:F'}]," FLAT "'attributes':{}}]}}",
     0, 0, "w:NO_OBSERVATIONS  0 \n", NULL},
    {META "'structures':[{'links':[{'rel':'dataflow','href':"
          "'/dataflow/T/NONE?a=b'}]," FLAT "'attributes':{}}]}}",
     ANY_ORDER, 0, "STRUCTURE_UNKNOWN structure 0 NONE\n", NULL},
    {META "'structures':[{" LINK FLAT "'attributes':{'observation':[" STATUS
          "," UNIT "]}},{'links':[{'rel':'dataflow','urn':'a=OTHER:F'}]," FLAT
          "'attributes':{}}],'dataSets':[{'structure':0,'action':'Replace',"
          "'observations':{'0:0:0':[1,0,0]}},{'structure':1,'action':'Replace',"
          "'observations':{'0:0:0':[1]}}]}}",
     ANY_ORDER, 2, "STRUCTURE_REF  0 F\n", V2 F "R,A,KE,2020,1,N,PT,,,\n"},
    // errors of the service
    {"{'errors':[{'code':510,'title':'cut'}],'data':{" STRUCTURE SET
     "'attributes':[],'dimensionGroupAttributes':{},'observations':{}" END,
     ANY_ORDER, 0, "w:FOOTER  0 510\n", NULL},
    // no data at all; a structure that is known, one that is not
    {META STRUCTURE "'x':1}}", ANY_ORDER, 0, "w:NO_OBSERVATIONS  0 \n", NULL},
    {META "'structures':[{'links':[{'rel':'datastructure','urn':'a=NONE:D'}],"
          "'dimensions':{}}]}}",
     ANY_ORDER, 0, "STRUCTURE_UNKNOWN structure 0 D\n", NULL},
    // ---- faults of the message
    {"{'data':{'dataStructures':[]}}", ANY_ORDER, 0, "UNSUPPORTED", NULL},
    {"{'data':{}}", ANY_ORDER, 0, "HEADER  0 \n", NULL},
    {META "'dataSets':[{'series':{'0':{}}}]}}", ANY_ORDER, 0, "HEADER  0 \n",
     NULL},
    {META
     "'structures':[{'links':[{'rel':'datastructure','urn':'a=NONE:D'}]," DIMS
         MEASURES ATTRS "}]," SET
     "'attributes':[9],'observations':{'0':[],'1':[]}" END,
     ANY_ORDER, 2, "STRUCTURE_UNKNOWN structure 0 D\n", NULL},
    {META "'structures':[{" DIMS MEASURES "'attributes':{}}]," SET
          "'series':{'0':{'observations':{'0':[1]}}}" END,
     ANY_ORDER, 1, "ATTR_MANDATORY STATUS 0 \nATTR_MANDATORY UNIT 0 \n", NULL},
    {META STRUCTURE
     "'dataSets':[{'structure':1,'action':'Replace',"
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'0'"
     ":{'observations':{'0':[1]}}}}]}}",
     ANY_ORDER, 1, "STRUCTURE_REF structure 0 1\n", NULL},
    {META STRUCTURE "'dataSets':[{'structure':0,'action':'Move','attributes':"
                    "[],'dimensionGroupAttributes':{},'series':{}}]}}",
     ANY_ORDER, 0, "ACTION action 0 Move\n", NULL},
    {META "'structures':[{" LINK FLAT "'attributes':{'observation':[" STATUS
          "," UNIT
          ",{'id':'FOO','values':[]},{'id':'AREA'},{'id':'NOTE'}]}}]," SET
          "'observations':{'0:0:0':[1,0,0,7,0,'n']}" END,
     ANY_ORDER, 1, "UNKNOWN_COMPONENT FOO 0 \nUNKNOWN_COMPONENT AREA 0 \n",
     V2 F "I,A,KE,2020,1,N,PT,,,n\n"},
    {META "'structures':[{" LINK FLAT "'attributes':{'observation':[" STATUS
          "],'series':[" STATUS "]}}]," SET
          "'observations':{'0:0:0':[1,0]}" END,
     ANY_ORDER, 1, "HEADER_DUPLICATE STATUS 0 \n", NULL},
    {META "'structures':[{" LINK "'dimensions':{'dataSet':[" DIM_AREA
          "]}}]," SET "'observations':{'0':[1]}" END,
     0, 1, "JSON AREA 0 \n", NULL},
    {META "'structures':[{" LINK "'dimensions':{'dataSet':[{'values':[]}]}}]}}",
     ANY_ORDER, 0, "JSON  0 id\n", NULL},
    {META "'structures':[{" LINK FLAT "'attributes':{'observation':[{'id':"
          "'NOTE','values':[{'values':[['a']]}]}]}}]," SET
          "'observations':{'0:0:0':[1]}" END,
     0, 1, "JSON NOTE 0 \n", NULL},
    // shapes, names that stand twice
    {META "'structures':{}}}", 0, 0, "JSON  0 \n", NULL},
    {META "'structures':['x']}}", 0, 0, "JSON  0 x\n", NULL},
    {META STRUCTURE "'structures':[]}}", 0, 0, "JSON  0 structures\n", NULL},
    {META STRUCTURE "'structure':{}}}", 0, 0, "JSON  0 structure\n", NULL},
    {"{'structures':[],'data':{'structures':[]}}", 0, 0, "JSON  0 structures\n",
     NULL},
    {META "'structures':[{'dimensions':{'dataSet':[],'dataset':[]}}]}}", 0, 0,
     "JSON  0 dataSet\n", NULL},
    {META "'dataSets':[]},'dataSets':[]}", 0, 0, "JSON  0 dataSets\n", NULL},
    {META STRUCTURE "'dataSets':[{'action':'Merge','action':'Delete'}]}}", 0, 0,
     "JSON  0 action\n", NULL},
    {"{'data':{},'data':{}}", 0, 0, "JSON  0 data\n", NULL},
    {"{'data':{'dataSets':[1]}}", 0, 0, "JSON  0 1\n", NULL},
    {"{'data':7}", 0, 0, "JSON  0 7\n", NULL},
    {"{'data':{'structures':[", 0, 0, "JSON  0 \n", NULL},
    {"{'data':{'structures':['\xff']}}", 0, 0, "ENCODING  0 \n", NULL},
    // ---- a value that is a code and another text
    {META "'structures':[{" LINK DIMS MEASURES
          "'attributes':{'observation':[{'id':'STATUS','values':[{'id':'N',"
          "'value':'E'}]},{'id':'UNIT','values':[{'id':'PT','value':'PT'}]}]}}]"
          ",'dataSets':[{'structure':0,'series':{'0':{'observations':{'0':"
          "[1,0,0]}}}}]}}",
     0, 1, "JSON STATUS 0 N\n", NULL},
    // ---- members that nobody knows: nothing that could be figures gets lost
    {META STRUCTURE "'dataSets':[{'Observations':{'0:0:0':[1]}}]}}", 0, 0,
     "JSON  0 \n", NULL},
    {META STRUCTURE "'dataSets':[{'rows':[]}]}}", 0, 0, "JSON  0 \n", NULL},
    {M "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{"
       "'attributes':[0],'Observations':{},'observations':{'1':[3,0]}}}" END,
     0, 0, "JSON  0 \n", NULL},
    {M "'why':'so','annotations':[0],'links':[{}],'validFrom':'2020',"
       "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'why':'so'"
       ",'annotations':[],'attributes':[0],'observations':{'1':[3,0]}}}" END,
     0, 1, "", V2 F "I,A,UG,2021,3,N,PT,,,\n"},
    // ---- faults of keys and values: once, and the rows around are read
    {M "'attributes':[],'dimensionGroupAttributes':{},'series':{'0':{"
       "'attributes':[0],'observations':{'0':[1,0],'4':[2,0],'1':[3,0]}}}" END,
     ANY_ORDER, 3, "JSON TIME_PERIOD 2 4\n",
     V2 F "I,A,KE,2020,1,N,PT,,,\n" F "I,A,KE,2021,3,N,PT,,,\n"},
    {M "'attributes':[],'dimensionGroupAttributes':{},'series':{'0:0':{"
       "'attributes':[0],'observations':{'0':[1,0],'1':[2,0]}},'1':{"
       "'attributes':[0],'observations':{'1':[3,0]}}}" END,
     ANY_ORDER, 3, "JSON key 1 0:0\n", V2 F "I,A,UG,2021,3,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'':[9,0],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "DIM_MISSING TIME_PERIOD 1 \n",
     V2 F "I,A,UG,,9,N,PT,,,\n" F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'x':[9],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON key 1 x\n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'01':[9],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON key 1 01\n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'-1':[9],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON key 1 -1\n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'1.0':[9],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON key 1 1.0\n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0:0':[9],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON key 1 0:0\n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'4294967295':[9],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON key 1 4294967295\n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'99999999999':[9],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON key 1 99999999999\n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0:':[9],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON key 1 0:\n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'4':[1,0],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON TIME_PERIOD 1 4\n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M "'attributes':[],'dimensionGroupAttributes':{},'series':{'0':{"
       "'attributes':[2],'observations':{'0':[1,0]}},'1':{'attributes':[0],"
       "'observations':{'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON UNIT 1 2\n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0':[1,3],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON STATUS 1 3\n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0':[1,'N'],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON STATUS 1 N\n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0':[1,1.0],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON STATUS 1 1.0\n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0':[1,-1],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON STATUS 1 -1\n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0':[1,true],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON STATUS 1 true\n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0':[1,{}],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON STATUS 1 \n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0':[1,[0,9]],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON STATUS 1 9\n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0':[1,0,[[]]],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON NOTE 1 \n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0':[1,0,{'en':{}}],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON NOTE 1 \n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0':[1,0,{'en':1}],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON NOTE 1 1\n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0':[1,0,{'en':'a','en':'b'}],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "LANGUAGE NOTE 1 en\n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0':[1,0,{'':'a'}],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "LANGUAGE NOTE 1 \n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0':[1,0,['a',{'en':'b'}]],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON NOTE 1 \n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0':[1,0,[{}]],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "LANGUAGE NOTE 1 \n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0':[1,0,null,'x'],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "ROW_WIDTH  1 \n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0':[1,0,null,0,1.5],'1':[1,0]}}}" END,
     ANY_ORDER, 2, "ROW_WIDTH  1 \n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0':7,'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON  1 \n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0':{},'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON  1 \n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0':'x','1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON  1 \n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M
     "'attributes':[],'dimensionGroupAttributes':{},'series':{'1':{'attributes':"
     "[0],'observations':{'0':null,'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON  1 \n", V2 F "I,A,UG,2021,1,N,PT,,,\n"},
    {M "'attributes':[],'dimensionGroupAttributes':{},'series':{'0':["
       "1],'1':{'attributes':[0],'observations':{'0':[1,0]}}}" END,
     ANY_ORDER, 1, "JSON  0 \n", V2 F "I,A,UG,2020,1,N,PT,,,\n"},
    {M "'attributes':[3],'dimensionGroupAttributes':{},'series':{'9':{"
       "'attributes':[0],'observations':{'0':[1,0]}}}" END,
     ANY_ORDER, 1, "JSON SOURCE 0 3\n", NULL},
    {M "'attributes':[],'dimensionGroupAttributes':{':7:':['T']},'series':{'0':"
       "{'attributes':[0],'observations':{'0':[1,0]}}}" END,
     ANY_ORDER, 1, "JSON AREA 0 7\n", NULL},
    {M
     "'attributes':[],'dimensionGroupAttributes':{'0:0':['T']},'series':{}" END,
     ANY_ORDER, 0, "JSON key 0 0:0\n", NULL},
    {M "'attributes':[],'dimensionGroupAttributes':{':0:':['T'],':0:':['T']},"
       "'series':{}" END,
     0, 0, "JSON  0 dimensionGroupAttributes\n", NULL},
    {M "'attributes':[],'dimensionGroupAttributes':{':0:':['T'],'0::':['V']},"
       "'series':{'0':{'attributes':[0],'observations':{'0':[1,0]}}}" END,
     ANY_ORDER, 1, "ATTR_CONFLICT TITLE 1 V\n", NULL},
    // a series twice, an observation twice
    {M "'attributes':[],'dimensionGroupAttributes':{},'series':{'0':{"
       "'attributes':[0],'observations':{'0':[1,0]}},'0':{'attributes':[0],"
       "'observations':{'1':[1,0]}}}" END,
     ANY_ORDER, 2, "JSON series 0 \n", NULL},
    {M "'attributes':[],'dimensionGroupAttributes':{},'series':{'0':{"
       "'attributes':[0],'observations':{'0':[1,0],'0':[2,0]}}}" END,
     ANY_ORDER, 2, "DUPLICATE key 2 \n", NULL},
};
