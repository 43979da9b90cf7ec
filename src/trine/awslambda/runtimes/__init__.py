"""The runtimes of AWS Lambda, a room for each: what is known of Python, of Node.js, of Java, .NET and custom runtimes.

runtime    what a runtime has to say of itself; `Runtime` itself is one that is not run here
known      a runtime by its name
python     forked from a zygote; a fresh interpreter where code brings what the zygote has loaded
pythons    the Pythons of this machine
nodejs     Trine's own client on the machine's Node.js
java       built packages that bring AWS's runtime client
dotnet     built packages, as AWS's image starts them
custom     `provided`: a program called `bootstrap`
"""
