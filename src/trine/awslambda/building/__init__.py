"""What is made of a function's or layer's source before anything runs, in the part of `sam build`.

tool              one tool of this machine, watched and bounded
dependencies      what lists of packages ask for, installed once into a cache
runtime_packages  what AWS's Node.js runtimes bring along beside that
bundling          TypeScript and modern JavaScript by esbuild
compiling         Go, Rust, Java and Makefiles by the tools of this machine
layer             packages and files where a runtime looks for them
"""
