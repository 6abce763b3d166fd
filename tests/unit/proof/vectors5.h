// vectors5 - the tree of five leaves of content-root.md, with its proofs.
#pragma once

#include <stdbool.h>

static const char vector_id[] = "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf";
static const char vector_seed[] = "050c131a21282f363d444b525960676e";
static const char vector_tree[] =
    "942c1393c20af41f97efcbdd18875a515b32eefc84b85d03ba41a63057ab"
    "70a9";
static const char vector_root[] =
    "7d9f3dbead17763e7732a2c06d0d4ba0ef6e554a9ec3ee65046ea790cf94"
    "fdaa";
static const char *const vector_rows[5] = {
    "054b45073230303007302e3030", "054b45073230303107312e3730",
    "054b45073230303207322e3430", "054b45073230303307332e3130",
    "054b45073230303407342e3830",
};

// Which leaves are withheld, and the one proof of it.
static const struct vector_proof {
    const char *name;
    bool withheld[5];
    const char *proof;
} vector_proofs[] = {
    {"all disclosed",
     {false, false, false, false, false},
     "534752310102a0a1a2a3a4a5a6a7a8a9aaabacadaeaf0300085245465f41"
     "524541010b54494d455f504552494f4402094f42535f56414c5545014d05"
     "00847675e6b954c4dc92532fd29f799048"},
    {"first withheld",
     {true, false, false, false, false},
     "534752310102a0a1a2a3a4a5a6a7a8a9aaabacadaeaf0300085245465f41"
     "524541010b54494d455f504552494f4402094f42535f56414c5545014d05"
     "010001d3366788aec81f39aa366a29162fb127a3ae8b0d0156d3de3ddf41"
     "6707d77015693699da3715f4e1f17d5b4a2270c392e2051ecd74f0a14050"
     "bdaabdfc03a48c45c8e070ecc16acc696abb70642bb58b"},
    {"evens withheld",
     {true, false, true, false, true},
     "534752310102a0a1a2a3a4a5a6a7a8a9aaabacadaeaf0300085245465f41"
     "524541010b54494d455f504552494f4402094f42535f56414c5545014d05"
     "03000101010101d3366788aec81f39aa366a29162fb127a3ae8b0d0156d3"
     "de3ddf416707d77015693699da3715f4e1f17d5b4a2270c3923ce91c54bc"
     "faa19ef75957514cd7dd3c122e5767cff3b0ff004f35cab21d4f65ca9d6c"
     "856d99794c36634e62121005b1c1d5f166e1303bfeadad304d9210ad3aea"
     "312af0b6a5eb546a87ebf8595f86e0"},
    {"all withheld",
     {true, true, true, true, true},
     "534752310102a0a1a2a3a4a5a6a7a8a9aaabacadaeaf0300085245465f41"
     "524541010b54494d455f504552494f4402094f42535f56414c5545014d05"
     "010005942c1393c20af41f97efcbdd18875a515b32eefc84b85d03ba41a6"
     "3057ab70a9"},
};

static const char vector_empty_seed[] = "00070e151c232a31383f464d545b6269";
static const char vector_empty_root[] =
    "5c19fc7b053c5c03870f7f3c0ae46f70619a6dcafa2f72ba29930f8162aa"
    "a9db";
